/*
 * config.h - the configuration file as the program sees it.
 *
 * YAML by libyaml. Every key is optional; no file at all is a configuration
 * too. Every mistake is told with file, line and, for a key that does not
 * exist, the nearest that does; all mistakes of a file at once, not the first.
 * A scalar stands for a list of one wherever a list is allowed. Relative files
 * are relative to the configuration file. fields.def has a row a setting:
 * path, kind, default, limits, help; the man page's table is made from it.
 *
 * Owns:    all of it; config_free.
 * Threads: built on one, immutable after that.
 */
#ifndef PROXY_CONFIG_CONFIG_H
#define PROXY_CONFIG_CONFIG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/socket.h>

#include "policy/host.h"
#include "policy/network.h"

struct netset;
struct policy;

/* An address to listen on: a literal address and a port. */
struct endpoint {
	struct sockaddr_storage address;
	char text[80];            /* "127.0.0.1:8080", "[::1]:8080" */
};

struct endpoints {
	struct endpoint *at;      /* owned */
	size_t num;
};

/* origin.connect-to: "site.test:443:127.0.0.1:9443", "*.many.test:443:…".
 * An empty host or port, as in curl, matches any / keeps the asked one. */
struct connect_to {
	char host[HOST_SIZE];     /* normalized; below: without the "*." */
	bool below;               /* "*.": only names below host */
	uint16_t port;            /* 0: any */
	char to_host[HOST_SIZE];  /* "": as asked */
	uint16_t to_port;         /* 0: as asked */
};

/* portal.direct: where clients that go by the PAC file go without the proxy. */
struct direct {
	char host[HOST_SIZE];     /* normalized; "": a network */
	bool below;               /* and all below host */
	struct network network;   /* IPv4 */
};

/* A file of origin.trust, and the line that names it: what is in it is read
 * later. */
struct trust_file {
	char *path;               /* owned; resolved */
	unsigned line;
};

/* A CA that a rule names, and the line that does so. */
struct named_ca {
	const char *name;         /* for good: intern.h */
	const char *rule;         /* likewise */
	const char *from;         /* likewise: the file, or policy, it stands in */
	unsigned line;
};

struct category_file {
	char *path;               /* owned; resolved */
	unsigned line;
};

/* A category: its number is its place, as policy_add_category counts. */
struct category {
	char *name;               /* owned */
	const char *from;         /* the file, or policy, it stands in; for good */
	unsigned line;
	char *entries;            /* owned: those in the file itself (hosts and
	                           * urls), checked, a line each; NULL: none */
	size_t entries_len;
	struct category_file *files; /* owned; read by lists_load */
	size_t num_files;
	char *spared;             /* owned: the first enabled rule that does not
	                           * inspect what is in it; NULL: none */
};

/* users.sources: who comes from there is that user, unless a password or else a
 * certificate says otherwise; of these, the password counts. */
struct user_source {
	struct netset *network;   /* owned: one network */
	char *text;               /* owned: as it was written */
	char *user;               /* owned */
	unsigned line;
};

/* A user that a rule or a group names, and the line that does so. */
struct named_user {
	char *name;               /* owned */
	const char *from;         /* the file, or policy, it stands in; for good */
	unsigned line;
};

/* log.locations: the name of where clients with these addresses are. */
struct location {
	char *name;               /* owned */
	struct netset *networks;  /* owned */
};

enum log_format { LOG_FORMAT_JSON, LOG_FORMAT_CSV };

/* What log.redact may leave out. */
enum redact {
	REDACT_QUERY,
	REDACT_PATH,
	REDACT_USER_AGENT,
	REDACT_USER,
	REDACT_CLIENT,
};

enum watch { WATCH_LISTS, WATCH_ALL, WATCH_NONE };

enum compat { COMPAT_NONE, COMPAT_ZIA };

enum non_tls { NON_TLS_TUNNEL, NON_TLS_BLOCK };
enum non_http { NON_HTTP_RELAY, NON_HTTP_BLOCK };

struct config {
	char *path;               /* of the file; NULL: none */
	struct endpoints proxy;       /* default 127.0.0.1:8080 */
	struct endpoints transparent; /* default none */
	struct endpoints admin;       /* default 127.0.0.1:8081 */
	bool admin_given;             /* the file says so */
	struct endpoints proxy_tls;   /* listen.proxy-tls; default none */
	struct netset *clients;   /* who may use the listeners */
	bool clients_any;         /* clients: any */
	char *state;              /* folder; default: state_default */
	unsigned workers;         /* 0: one a core */

	struct {
		bool trust_system;
		unsigned trust_system_line; /* 0: it is the default */
		struct trust_file *trust_files; /* owned */
		size_t num_trust_files;
		struct connect_to *connect_to;
		size_t num_connect_to;
		char *dns;            /* "127.0.0.1:5353,[::1]:53"; NULL: the system's */
		bool pool;            /* origin.pool: on|off */
		bool resume;          /* origin.resume: on|off */
	} origin;

	struct {
		unsigned validity_s;  /* issuing.validity, default 14d */
		unsigned rotate_s;    /* issuing.rotate, default 7d */
		char *crl_url;        /* without a slash behind; NULL: first listener */
	} issuing;

	char *passphrase_file;    /* keys.passphrase-file; NULL: none */
	struct category *categories; /* owned; what files hold: see load.h */
	size_t num_categories;
	struct policy *policy;    /* the rules; never NULL, sealed by load.h */
	size_t num_rules, num_url_rules; /* as in the file */
	/* The file, or policy, that each list stands in, for good; NULL: none. */
	const char *rules_from, *url_rules_from;

	struct {
		bool given;           /* who uses listen.proxy must be somebody */
		bool required;        /* default true; false: nobody may too */
		char *realm;          /* of the 407; default "Sallyport" */
		char *htpasswd;       /* file; NULL: none */
		unsigned htpasswd_line;
		char *client_ca;      /* file, PEM; NULL: none */
		unsigned client_ca_line;
		struct user_source *sources; /* owned; the first that fits */
		size_t num_sources;
		struct named_user *named; /* owned */
		size_t num_named;
	} users;

	enum watch watch;         /* reload.watch, default lists: what is taken
	                           * into use when it changes */
	struct named_ca *named;   /* owned: of enabled rules */
	size_t num_named;
	enum compat compat;
	enum non_tls non_tls;
	enum non_http non_http;
	char *access_log;         /* "stdout", "stderr", "none", "syslog",
	                           * "journald" or a path */
	char *key_log;            /* a path; NULL: none */

	struct {
		enum log_format format;
		unsigned redact;      /* bits: 1 << enum redact */
		size_t rotate;        /* size a file may have; 0: any */
		unsigned keep;        /* of those that were full */
		struct location *locations; /* owned; the first that fits */
		size_t num_locations;
	} log;

	struct {
		struct direct *direct; /* owned */
		size_t num_direct;
	} portal;

	struct {
		unsigned connections;          /* 20000 */
		bool connections_given;        /* the file says so */
		unsigned header_bytes;         /* 65536 */
		unsigned handshake_timeout_ms; /* 10s */
		unsigned idle_timeout_ms;      /* 5m */
		unsigned peek_timeout_ms;      /* 1s */
		unsigned connect_timeout_ms;   /* 10s: an origin's name, dial
						* and handshake */
		unsigned drain_timeout_ms;     /* 30s: after SIGTERM */
		unsigned leaf_cache_entries;   /* 10000 */
		size_t leaf_cache_bytes;       /* 64MB */
	} limits;
};

/* config_load reads path (NULL: no file, all defaults). Mistakes go to errors,
 * a line each: "file:line: what; what to do". Warnings likewise, marked
 * "warning:", and do not fail. 0 done; -1 failed, *out untouched. */
int config_load(const char *path, struct config **out, FILE *errors)
	__attribute__((warn_unused_result));

/* config_load_to_look is config_load for who wants to know of a proxy, as where it
 * listens: see config_source. */
int config_load_to_look(const char *path, struct config **out, FILE *errors)
	__attribute__((warn_unused_result));
void config_free(struct config *config);

/* config_read reads the file's text, the caller's; one too large is cut behind
 * the first byte too many. */
int config_read(const char *path, char **out, size_t *out_len, FILE *errors)
	__attribute__((warn_unused_result));

/* config_folder is the absolute folder that a file is in; owned by the caller. */
char *config_folder(const char *path);

/* config_load_text is config_load of text that is in memory; name is the
 * file's in messages, and relative files are relative to its folder. */
int config_load_text(const char *name, const char *text, size_t len,
	struct config **out, FILE *errors) __attribute__((warn_unused_result));

/* A configuration, and a policy that goes over it: a document (YAML, and so JSON)
 * with the keys ssl-rules, url-rules and categories alone. Rules it gives take the
 * place of the file's list; a category takes the place of the file's of that name,
 * and others come on top. Its categories may name no list file that the
 * configuration does not name, too. Mistakes are told with each one's name. */
struct config_source {
	const char *name;         /* of the file; NULL: none */
	const char *text;
	size_t len;
	const char *policy_name;  /* "policy version 7"; NULL: no policy */
	const char *policy;
	size_t policy_len;
	bool to_look;             /* what the proxy alone may read or write, as
	                           * its log, is no mistake: who asks is another
	                           * user, and runs none */
};
int config_load_source(const struct config_source *source,
	struct config **out, FILE *errors) __attribute__((warn_unused_result));

/* config_prepare_state makes the state folder, and folders above it that are
 * missing, with mode 0700. One that is there must belong to this user, or to
 * anybody where that is root, and be writable by nobody else (but for the group
 * of a sticky one of root's): who can write to it can bring a CA. */
int config_prepare_state(const struct config *config, char *err,
	size_t err_size) __attribute__((warn_unused_result));

/* config_check_state holds the folder against the same, and makes nothing.
 * CONFIG_NO_STATE: there is none yet. */
enum { CONFIG_NO_STATE = 1 };
int config_check_state(const struct config *config, char *err, size_t err_size)
	__attribute__((warn_unused_result));

/* config_check_prepare tells what config_prepare_state would refuse, and makes
 * nothing. CONFIG_ANOTHERS: that, but the folder, or the one it would be made in, is
 * another user's, who may be the one to run it. */
enum { CONFIG_ANOTHERS = 2 };
int config_check_prepare(const struct config *config, char *err,
	size_t err_size) __attribute__((warn_unused_result));

/* config_proxy_address writes where clients find the proxy, "host:port": the
 * first address of listen.proxy, with this machine's name for a wildcard; that of the
 * start, where this process has been told of it (handed.h). */
enum { PROXY_ADDRESS_SIZE = HOST_SIZE + 8 };
void config_proxy_address(const struct config *config, char *out, size_t size);

/* config_crl_base writes what the CDP of every certificate begins with:
 * issuing.crl-url, or http:// and config_proxy_address. */
enum { CRL_BASE_SIZE = 320 };
void config_crl_base(const struct config *config, char *out, size_t size);

/* config_user_at is who comes from address, by users.sources; NULL: nobody says. */
const char *config_user_at(const struct config *config,
	const struct sockaddr *address);

/* config_logs_to_file: access_log is a path, and none of the words. */
bool config_logs_to_file(const struct config *config);

/* config_has_certificates: clients can be users by their certificates. */
bool config_has_certificates(const struct config *config);

/* config_note_user keeps that a rule or group names a user, to be looked for
 * later; from is for good. */
void config_note_user(struct config *config, const char *name, const char *from,
	unsigned line);

/* config_location_at is the name of where address is, by log.locations; NULL:
 * nobody says. */
const char *config_location_at(const struct config *config,
	const struct sockaddr *address);

/* config_connect_to is the first entry that fits host (normalized) and port;
 * NULL: none. */
const struct connect_to *config_connect_to(const struct config *config,
	const char *host, uint16_t port);

#endif
