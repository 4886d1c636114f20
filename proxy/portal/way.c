#include "proxy/portal/way.h"

#define CHECK "http://" MAGIC_HOST "/check"
#define CHECK_IN_TLS WAY_REACH "/check"

/* Clipboards are for pages in TLS alone; the old way is for the others. What came
 * of it is said aloud, too, by who reads a page so. */
const char way_script[] =
	"var p=document.getElementById('probe'),c=navigator.userAgent,o;"
	"if(p){p.textContent='Asking for a page in TLS\\u2026';"
	"fetch('" CHECK_IN_TLS "',{mode:'no-cors',cache:'no-store'})"
	".then(function(){p.textContent='This browser trusts the root "
	"certificate: sites that are inspected open without a warning.';"
	"p.className='status yes'},function(){p.textContent='This browser does "
	"not trust the root certificate yet: sites that are inspected show a "
	"warning. Install it, and load this page again.'})}"
	"o=document.getElementById(/Windows/.test(c)?'windows':"
	"/Mac OS X/.test(c)?'macos':/Fedora|Red Hat/.test(c)?'fedora':"
	"'debian');if(o&&!/Android|iPhone|iPad/.test(c))o.open=true;"
	"var r=document.createElement('p');r.className='said';"
	"r.setAttribute('role','status');document.body.append(r);"
	"document.querySelectorAll('pre').forEach(function(e){"
	"var b=document.createElement('button');b.type='button';"
	"function name(w){b.textContent=w;"
	"b.setAttribute('aria-label',w+': '+e.dataset.of)}"
	"function say(w){name(w);r.textContent=w+': '+e.dataset.of}"
	"function old(){say(document.execCommand('copy')?'Copied':'Selected')}"
	"name('Copy');"
	"b.onclick=function(){getSelection().selectAllChildren(e);"
	"if(!navigator.clipboard)return old();"
	"navigator.clipboard.writeText(e.textContent)"
	".then(function(){say('Copied')},old)};"
	"e.before(b)})";

static const char came_straight[] =
	"<p class=\"status\"><strong>Not as this page sees it.</strong> Your "
	"request came straight to Sallyport, not through the proxy.</p>\n"
	"<p>Once the proxy is set, <a href=\"" CHECK "\">check again through "
	"it</a>.</p>\n";

static const char came_proxied[] =
	"<p class=\"status yes\"><strong>Your requests come through the "
	"proxy:</strong> this one did, in plain HTTP.</p>\n"
	"<p class=\"status\" id=\"probe\" role=\"status\">Whether this browser "
	"trusts the root certificate shows in TLS alone.</p>\n"
	"<p><a href=\"" CHECK_IN_TLS "\">Check in TLS</a>: a page without a "
	"warning is a yes.</p>\n";

static const char came_inspected[] =
	"<p class=\"status yes\"><strong>Yes.</strong> This page came to you "
	"inside TLS that Sallyport ended, by a certificate that it made. Unless "
	"you passed over a warning, this browser trusts the root "
	"certificate.</p>\n";

void way_show(UT_string *out, enum portal_way way)
{
	switch (way) {
	case PORTAL_PROXIED:
		html_add(out, came_proxied);
		break;
	case PORTAL_INSPECTED:
		html_add(out, came_inspected);
		break;
	case PORTAL_STRAIGHT:
	default:
		html_add(out, came_straight);
	}
}

void way_tell(UT_string *out, enum portal_way way, const struct anchor *root)
{
	utstring_printf(out, "proxied: %s\ninspected: %s\nroot: %s\n",
		way == PORTAL_STRAIGHT ? "no" : "yes",
		way == PORTAL_INSPECTED ? "yes" : "no", root->fingerprint);
	if (way == PORTAL_PROXIED)
		html_add(out, "next: " CHECK_IN_TLS "\n");
	else if (way == PORTAL_STRAIGHT)
		html_add(out, "next: " CHECK ", through the proxy\n");
}

void check_page(UT_string *out, enum portal_way way, const struct anchor *root)
{
	html_begin(out, "Is my traffic inspected? Sallyport");
	html_add(out, "<main>\n<h1>Is my traffic inspected?</h1>\n");
	way_show(out, way);
	html_add(out, "<h2>And at another site?</h2>\n<p>Look at the "
		"certificate that your browser shows for it. Where Sallyport "
		"inspects, the last of its issuers is the root:</p>\n"
		"<dl>\n");
	anchor_show(out, root);
	html_add(out, "</dl>\n<p>Sites that your organization "
		"spares from that show their own.</p>\n"
		"<p><a href=\"./\">How to install the root, and set up "
		"tools</a></p>\n</main>\n");
	html_script(out, way_script);
	html_end(out);
}
