#include "proxy/cli/target.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <utstring.h>

#include "pki/base.h"
#include "proxy/cli/client.h"
#include "proxy/cli/hidden.h"
#include "proxy/cli/root_fetch.h"
#include "proxy/cli/setup.h"
#include "proxy/config/mistakes.h"
#include "proxy/http/url.h"
#include "proxy/net/address.h"
#include "proxy/tools/bundle.h"

enum { ROOT_MAX = 1 << 20, PASSWORD_MAX = 1024, ADDRESS = HOST_SIZE + 8 };

static struct slice slice_of(const char *text)
{
	return (struct slice){text, strlen(text)};
}

/* where writes the target's address as people write it. */
static void where(const struct target *target, char out[ADDRESS])
{
	address_with_port(target->host, target->port, out, ADDRESS);
}

/* --- its address -------------------------------------------------------- */

static bool take_host(struct target *target, struct slice host, uint16_t port)
{
	if (host.len >= sizeof(target->host) || port == 0)
		return false;
	memcpy(target->host, host.at, host.len);
	target->host[host.len] = '\0';
	target->port = port;
	return strspn(target->host, "abcdefghijklmnopqrstuvwxyz0123456789"
		"ABCDEFGHIJKLMNOPQRSTUVWXYZ.:-_") == host.len;
}

/* parse takes "host:port" and "http://host:port/", which people copy. */
static int parse(struct target *target, const char *text)
{
	struct slice at = slice_of(text), host;
	uint16_t port;

	if (strncmp(text, "http://", 7) == 0)
		at = slice_of(text + 7);
	if (at.len > 0 && at.at[at.len - 1] == '/')
		at.len--;
	if (url_parse_authority(at, &host, &port) == 0 &&
	    take_host(target, host, port))
		return OPTIONS_FINE;
	fprintf(stderr, "sallyport: --proxy %s: is no address with a port, "
		"as proxy.example:8080\n", shown(text).text);
	return EXIT_WRONG;
}

/* take_config: who listens on all addresses is reached on this machine's own. */
static void take_config(struct target *target)
{
	const struct sockaddr *at =
		(void *)&target->config->proxy.at[0].address;
	char text[46];

	address_text(at, text);
	if (strcmp(text, "0.0.0.0") == 0)
		snprintf(text, sizeof(text), "127.0.0.1");
	if (strcmp(text, "::") == 0)
		snprintf(text, sizeof(text), "::1");
	snprintf(target->host, sizeof(target->host), "%s", text);
	target->port = address_port(at);
}

/* --- who asks ----------------------------------------------------------- */

/* known looks for "user:password@" of this proxy in what is set. The scheme need not be
 * there, as for curl, and a password may have an @, as for Python; *out_len 0: none. */
static const char *known(const struct target *target, const char *url,
	size_t *out_len)
{
	char address[ADDRESS];
	const char *at, *end;

	*out_len = 0;
	if (!url)
		return NULL;
	url += strncasecmp(url, "http://", 7) == 0 ? 7 : 0;
	end = url + strcspn(url, "/");
	at = memrchr(url, '@', (size_t)(end - url));
	where(target, address);
	if (!at || strlen(address) != (size_t)(end - at - 1) ||
	    strncasecmp(at + 1, address, strlen(address)) != 0)
		return NULL;
	*out_len = (size_t)(at + 1 - url);
	return url;
}

/* put_login puts "user:password@". An @ within goes as %40: curl takes no other, and git
 * the first for the last. */
static void put_login(UT_string *url, const char *login, size_t len)
{
	for (size_t i = 0; i + 1 < len; i++) {
		if (login[i] == '@')
			utstring_printf(url, "%%40");
		else
			utstring_bincpy(url, login + i, 1);
	}
	utstring_printf(url, "@");
}

static void put_known(const struct target *target, UT_string *url)
{
	static const char *const names[] = {"https_proxy", "HTTPS_PROXY",
		"http_proxy", "HTTP_PROXY"};
	size_t len = 0;

	for (size_t i = 0; i < 4 && len == 0; i++) {
		const char *found = known(target, getenv(names[i]), &len);

		if (found)
			put_login(url, found, len);
	}
}

static int put_user(UT_string *url, const char *user)
{
	char typed[PASSWORD_MAX], *name, *word;
	const char *password = getenv("SALLYPORT_PASSWORD");

	if (!password && hidden_line("password at the proxy: ", typed,
		    sizeof(typed)) >= 0)
		password = typed;
	if (!password)
		return setup_failed("--user needs a password: in the variable "
			"SALLYPORT_PASSWORD, or typed");
	name = client_path("", user);
	word = client_path("", password);
	utstring_printf(url, "%s:%s@", name, word);
	free(name);
	free(word);
	return OPTIONS_FINE;
}

static int make_url(struct target *target, const char *user)
{
	char address[ADDRESS];
	int code = OPTIONS_FINE;
	UT_string url;

	utstring_init(&url);
	utstring_printf(&url, "http://");
	if (user)
		code = put_user(&url, user);
	else
		put_known(target, &url);
	where(target, address);
	utstring_printf(&url, "%s", address);
	target->url = utstring_body(&url);
	return code;
}

/* --- its root ----------------------------------------------------------- */

/* refuse_file says what is in a file that is not one root. */
static int refuse_file(const char *path, const char *text, size_t len)
{
	struct bundle *all = bundle_new();
	size_t num = bundle_add_pem(all, text, len);
	struct der der = {(const uint8_t *)text, len};

	fprintf(stderr, "sallyport: %s: should be the one root certificate, as "
		"PEM, and ", shown(path).text);
	if (num > 1)
		fprintf(stderr, "has %zu certificates\n", num);
	else if (num == 1)
		fputs("has a certificate that is no CA's: it is the CA's own "
			"that is needed, not one that it has signed\n", stderr);
	else if (bundle_add(all, der) == 0)
		fputs("is DER: \"openssl x509 -inform der -in FILE -out "
			"root.pem\" makes PEM of it\n", stderr);
	else
		fputs("has no certificate\n", stderr);
	bundle_free(all);
	return EXIT_WRONG;
}

/* read_root reads a file that should be one root. */
static int read_root(const char *path, char **out)
{
	char err[FILE_ERR_SIZE], *text;
	size_t len;
	int code;

	*out = NULL;
	if (file_read(path, ROOT_MAX, &text, &len, err, sizeof(err)) != 0)
		return setup_failed(err);
	*out = root_read(text, len);
	code = *out ? OPTIONS_FINE : refuse_file(path, text, len);
	free(text);
	return code;
}

/* hold_given: what --ca has is what counts. */
static int hold_given(struct target *target, const char *ca)
{
	char address[ADDRESS], is[CERT_FINGERPRINT], should[CERT_FINGERPRINT];
	char *given;
	int code = read_root(ca, &given);

	if (code != OPTIONS_FINE)
		return code;
	where(target, address);
	root_fingerprint(target->root_pem, is);
	root_fingerprint(given, should);
	free(given);
	target->sure = strcmp(is, should) == 0;
	if (target->sure)
		return OPTIONS_FINE;
	fprintf(stderr, "sallyport: %s shows another root certificate than %s "
		"has: it is not that proxy, or its CA has changed.\n"
		"  it shows (SHA-256) %s\n  the file has       %s\n", address,
		shown(ca).text, is, should);
	return EXIT_FAILED;
}

/* hold_state: who else listens at our address has another root. A folder that is not
 * there, or not for us to read, says nothing. */
static int hold_state(struct target *target)
{
	char *path = state_path(target->config->state, "root.pem"), *text;
	char address[ADDRESS], err[FILE_ERR_SIZE], *ours = NULL;
	bool same = true;
	size_t len;

	if (file_read(path, ROOT_MAX, &text, &len, err, sizeof(err)) == 0) {
		ours = root_read(text, len);
		free(text);
		same = !ours || root_same(ours, target->root_pem);
		target->sure = ours && same;
	}
	if (!same) {
		where(target, address);
		fprintf(stderr, "sallyport: what listens at %s shows another "
			"root certificate than %s has. If that is the proxy "
			"you mean, name it: --proxy %s --ca FILE, where FILE "
			"is its root certificate, from who runs it\n", address,
			path, address);
	}
	free(ours);
	free(path);
	return same ? OPTIONS_FINE : EXIT_FAILED;
}

/* tell_how to come by the root certificate, behind why it is needed. */
static void tell_how(const struct target *target, const char *address)
{
	char is[CERT_FINGERPRINT];

	root_fingerprint(target->root_pem, is);
	fprintf(stderr, "  curl --noproxy '*' -o root.pem "
		"http://%s/ca/root.pem\n"
		"fetches it; ask who runs the proxy whether this is its "
		"SHA-256, since anybody could have put in another:\n"
		"  %s\n", address, is);
}

static int refuse_unknown(const struct target *target)
{
	char address[ADDRESS];

	where(target, address);
	fprintf(stderr, "sallyport: %s is another machine: say by --ca FILE "
		"what its root certificate is.\n", address);
	tell_how(target, address);
	return EXIT_FAILED;
}

/* may_listen: root and we ourselves could do worse, and who has the state folder runs
 * the proxy. */
static bool may_listen(const struct target *target,
	const struct root_fetched *fetched)
{
	struct stat info;

	if (!fetched->known)
		return target->sure;
	return fetched->listener == 0 || fetched->listener == geteuid() ||
		(stat(target->config->state, &info) == 0 &&
			info.st_uid == fetched->listener);
}

static int refuse_listener(const struct target *target,
	const struct root_fetched *fetched)
{
	char address[ADDRESS], who[32] = "an unknown user";

	where(target, address);
	if (fetched->known)
		snprintf(who, sizeof(who), "uid %u", fetched->listener);
	fprintf(stderr, "sallyport: %s listens at %s, who is neither root, nor "
		"you, nor the owner of the state folder %s, and could be "
		"anybody. If that is the proxy you mean, say by --ca FILE what "
		"its root certificate is:\n", who, address,
		shown(target->config->state).text);
	tell_how(target, address);
	return EXIT_FAILED;
}

/* hold_local: a root is no secret, so that one that the state folder has can still be
 * shown by another. */
static int hold_local(const struct target_order *order,
	const struct root_fetched *fetched, struct target *target)
{
	int code = order->proxy && !order->config ? OPTIONS_FINE :
						    hold_state(target);

	if (code != OPTIONS_FINE || may_listen(target, fetched))
		return code;
	return refuse_listener(target, fetched);
}

static int find_root(const struct target_order *order, struct target *out)
{
	struct root_fetched fetched;

	if (root_fetch(out->host, out->port, &fetched, out->why,
		    sizeof(out->why)) != 0)
		return OPTIONS_FINE;
	out->root_pem = fetched.pem;
	if (order->ca)
		return hold_given(out, order->ca);
	if (!fetched.loopback)
		return refuse_unknown(out);
	return hold_local(order, &fetched, out);
}

/* --- all of it ---------------------------------------------------------- */

static int tell_nobody(const struct target *target)
{
	char address[ADDRESS];

	where(target, address);
	fprintf(stderr, "sallyport: no proxy at %s: %s\n"
		"\"sallyport run\" starts one; --proxy HOST:PORT names "
		"another\n", address, target->why);
	return EXIT_FAILED;
}

int target_find(const struct target_order *order, struct target *out)
{
	int code;

	memset(out, 0, sizeof(*out));
	code = setup_config(order->config, &out->config);
	if (code != OPTIONS_FINE)
		return code;
	if (order->proxy)
		code = parse(out, order->proxy);
	else
		take_config(out);
	if (code == OPTIONS_FINE)
		code = find_root(order, out);
	if (code == OPTIONS_FINE && !out->root_pem &&
	    (order->proxy || order->ca))
		code = tell_nobody(out);
	if (code == OPTIONS_FINE)
		code = make_url(out, out->root_pem ? order->user : NULL);
	return code;
}

int target_running(const struct target_order *order, struct target *out)
{
	int code = target_find(order, out);

	if (code != OPTIONS_FINE || out->root_pem)
		return code;
	return tell_nobody(out);
}

/* from_state is what a stopped proxy's folder has. */
static int from_state(const struct target_order *order, char **out_pem)
{
	char crl_base[CRL_BASE_SIZE];
	struct authority_view view;
	int code = setup_view(order->config, crl_base, &view);

	if (code != OPTIONS_FINE)
		return code;
	*out_pem = pki_copy(view.root_pem);
	authority_view_clear(&view);
	return OPTIONS_FINE;
}

/* refuse_unsure: what is trusted for good has to be somebody's word. */
static int refuse_unsure(const struct target *target)
{
	char address[ADDRESS];

	where(target, address);
	fprintf(stderr, "sallyport: anybody on this machine could be listening "
		"at %s, and the state folder does not say whether its root "
		"certificate is that proxy's. Say which it is, by -c or "
		"--ca:\n", address);
	tell_how(target, address);
	return EXIT_FAILED;
}

static int find_root_alone(const struct target_order *order, bool sure,
	char **out_pem)
{
	struct target target;
	int code;

	*out_pem = NULL;
	if (order->ca && !order->proxy)
		return read_root(order->ca, out_pem);
	code = target_find(order, &target);
	if (code == OPTIONS_FINE && target.root_pem && sure && !target.sure)
		code = refuse_unsure(&target);
	if (code == OPTIONS_FINE && target.root_pem)
		*out_pem = pki_copy(target.root_pem);
	target_clear(&target);
	if (code == OPTIONS_FINE && !*out_pem)
		code = from_state(order, out_pem);
	return code;
}

int target_root(const struct target_order *order, char **out_pem)
{
	return find_root_alone(order, false, out_pem);
}

int target_root_sure(const struct target_order *order, char **out_pem)
{
	return find_root_alone(order, true, out_pem);
}

void target_clear(struct target *target)
{
	config_free(target->config);
	free(target->url);
	free(target->root_pem);
	memset(target, 0, sizeof(*target));
}
