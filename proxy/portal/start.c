#include "proxy/portal/start.h"

#include <stdbool.h>
#include <string.h>

#include "proxy/config/config.h"
#include "proxy/portal/recipes.h"
#include "proxy/portal/way.h"

static const char devices[] =
	"<details><summary><h3>iPhone, iPad, Mac</h3></summary>\n<ol>\n"
	"<li>Open <a href=\"ca/root.mobileconfig\">the profile</a> in Safari and "
	"allow the download.</li>\n"
	"<li>Settings, General, VPN &amp; Device Management (on a Mac: System "
	"Settings, General, Device Management): install it.</li>\n"
	"<li>On iPhone and iPad: Settings, General, About, Certificate Trust "
	"Settings: switch it on.</li>\n</ol>\n</details>\n"
	"<details><summary><h3>Android</h3></summary>\n<ol>\n"
	"<li>Download <a href=\"ca/root.der\">the certificate (DER)</a>.</li>\n"
	"<li>Settings, Security, Encryption &amp; credentials, Install a "
	"certificate, CA certificate: choose it.</li>\n</ol>\n"
	"<p>Browsers heed it; most other apps do not.</p>\n</details>\n"
	"<details><summary><h3>Windows</h3></summary>\n<ol>\n"
	"<li>Download and open <a href=\"ca/root.der\">the certificate "
	"(DER)</a>.</li>\n<li>Install Certificate, Local Machine, Place all "
	"certificates in the following store: Trusted Root Certification "
	"Authorities.</li>\n</ol>\n</details>\n"
	"<details><summary><h3>Firefox</h3></summary>\n<ol>\n"
	"<li>Download <a href=\"ca/root.pem\">the certificate (PEM)</a>.</li>\n"
	"<li>Settings, Privacy &amp; Security, Certificates, View Certificates, "
	"Authorities, Import: choose it, and trust it to identify "
	"websites.</li>\n</ol>\n</details>\n";

/* add_fetch is a line for a shell. */
static void add_fetch(UT_string *out, const char *proxy)
{
	html_add(out, "curl --noproxy '*' -fo sallyport-root.pem 'http://");
	html_text(out, proxy);
	html_add(out, "/ca/root.pem'\n");
}

/* add_linux_browsers: of what trusts by a store of its own (NSS), which
 * update-ca-certificates does not reach. */
static void add_linux_browsers(UT_string *out, const char *proxy)
{
	html_add(out, "<details><summary><h3>Chrome and Chromium on Linux</h3>"
		"</summary>\n<p>They do not heed what the system trusts. With "
		"<code>certutil</code> (package <code>libnss3-tools</code> or "
		"<code>nss-tools</code>), and the browser closed:</p>\n"
		"<pre data-of=\"Chromium\">");
	add_fetch(out, proxy);
	html_add(out, "mkdir -p ~/.pki/nssdb\n"
		"certutil -d sql:$HOME/.pki/nssdb -A -t C,, -n sallyport "
		"-i sallyport-root.pem</pre>\n<p>Where <code>sallyport</code> "
		"is installed, <code>sallyport trust install --for nss --ca "
		"sallyport-root.pem</code> finds these stores, and Firefox's."
		"</p>\n</details>\n");
}

static void add_root(UT_string *out, const struct portal_request *request,
	const struct anchor *root)
{
	html_add(out, "<h2>The root certificate</h2>\n<ul>\n"
		"<li><a href=\"ca/root.pem\">The certificate as PEM</a>, for "
		"most tools and Linux</li>\n<li><a href=\"ca/root.der\">The "
		"certificate as DER</a>, for Windows and Android</li>\n<li><a "
		"href=\"ca/root.mobileconfig\">The certificate as a profile</a>, "
		"for iPhone, iPad and Mac</li>\n</ul>\n<dl>\n");
	anchor_show(out, root);
	html_add(out, "<dt>Valid until</dt><dd>");
	html_add(out, root->until);
	html_add(out, "</dd>\n</dl>\n<p>Before you trust it, compare the "
		"fingerprint with the one your administrator gives you.</p>\n");
	html_add(out, devices);
	add_linux_browsers(out, request->proxy);
}

static void add_proxy(UT_string *out, const struct portal_request *request)
{
	html_add(out, "<h2>The proxy</h2>\n<dl>\n<dt>Address</dt><dd><code>");
	html_text(out, request->proxy);
	html_add(out, "</code></dd>\n<dt>PAC file</dt><dd><a "
		"href=\"proxy.pac\">http://");
	html_text(out, request->proxy);
	html_add(out, "/proxy.pac</a>, for browsers and systems</dd>\n</dl>\n");
	if (request->config->users.htpasswd)
		html_add(out, "<p>It asks who you are. Tools are told by "
			"<code>http://NAME:PASSWORD@</code> before that "
			"address.</p>\n");
}

/* is_near: the page is seen on the machine that the proxy listens on, where the root
 * that it shows is taken. */
static bool is_near(const char *proxy)
{
	return strncmp(proxy, "127.", 4) == 0 ||
		strncmp(proxy, "localhost:", 10) == 0 ||
		strncmp(proxy, "[::1]:", 6) == 0;
}

/* add_exec: what exec does not know by itself, and the file that it needs. */
static void add_exec(UT_string *out, const struct portal_request *request)
{
	const char *proxy = request->proxy;
	bool near = is_near(proxy);

	html_add(out, "<pre data-of=\"exec\">");
	if (!near)
		add_fetch(out, proxy);
	html_add(out, "sallyport exec");
	if (strcmp(proxy, "127.0.0.1:8080") != 0) {
		html_add(out, " --proxy ");
		html_text(out, proxy);
	}
	html_add(out, near ? "" : " --ca sallyport-root.pem");
	html_add(out, request->config->users.htpasswd ? " --user NAME" : "");
	html_add(out, " -- npm ci</pre>\n");
}

static void add_tools(UT_string *out, const struct portal_request *request)
{
	html_add(out, "<h2>Command-line tools</h2>\n<p>Where "
		"<code>sallyport</code> is installed, it sets up all of them "
		"for a command (or a shell, with <code>env</code>):</p>\n");
	add_exec(out, request);
	html_add(out, "<p>Elsewhere, by hand:</p>\n");
	recipes_write(out, request->proxy);
}

void start_page(UT_string *out, const struct portal_request *request,
	const struct anchor *root)
{
	html_begin(out, "Sallyport, your network's proxy");
	html_add(out, "<main>\n<h1>Sallyport, your network's proxy</h1>\n"
		"<p>It inspects TLS: it shows a certificate of its own for each "
		"site, signed by your organization's CA. Programs must trust "
		"that CA's root.</p>\n<h2>Is my traffic inspected?</h2>\n");
	way_show(out, request->way);
	html_add(out, "<p><a href=\"check\">How to tell at another site</a></p>\n");
	add_root(out, request, root);
	add_proxy(out, request);
	add_tools(out, request);
	html_add(out, "</main>\n");
	html_script(out, way_script);
	html_end(out);
}
