#include "proxy/cli/ca_setup.h"
#include "proxy/cli/ca_step.h"
#include "proxy/cli/ca_steps.h"

#define USE(line) "usage: sallyport ca " line "\n\n"
#define COMMON \
	"  --json              as JSON, for programs\n" \
	"  -c, --config FILE   the configuration (YAML)\n" \
	"\n" \
	"It works on a running proxy, and on one that is stopped.\n"

const struct command ca_steps[] = {
	{"ca setup", "all of it, step by step",
		USE("setup [-c FILE]")
		"Makes an intermediate CA that your organization's CA signs, and\n"
		"puts it to use: asks for its names, makes key and request, shows\n"
		"how to have it signed (openssl, AD CS, step-ca), and takes what\n"
		"comes back. Broken off, it goes on where it was: give the same\n"
		"name. The files it writes go into the folder it is called in.\n"
		"\n"
		"  -c, --config FILE   the configuration (YAML)\n"
		"\n"
		"It works on a running proxy, and on one that is stopped.\n",
		ca_setup},
	{"ca list", "all CAs", USE("list [--json] [-c FILE]")
		"Lists the intermediate CAs: 1 is Sallyport's own.\n\n" COMMON,
		step_list},
	{"ca create", "begin a CA of your organization's",
		USE("create NAME [--description TEXT] [--disabled] [--json]\n"
		"                           [-c FILE]")
		"Begins an intermediate CA. What follows: keypair, csr, having\n"
		"it signed, upload, chain, finalize, default. \"sallyport ca\n"
		"setup\" walks through all of it.\n\n" COMMON, step_create},
	{"ca keypair", "make its key",
		USE("keypair CA [--key-type TYPE] [--json] [-c FILE]")
		"Makes the CA's key pair, once and for all. The private key is\n"
		"never shown.\n\n"
		"  --key-type TYPE     EC_P256 (default), EC_P384, RSA_2K, RSA_3K,\n"
		"                      RSA_4K\n" COMMON, step_keypair},
	{"ca csr", "make its certificate signing request",
		USE("csr CA [--cn NAME [--o TEXT] [--ou TEXT] [--l TEXT]\n"
		"                     [--st TEXT] [--country CC] [--path-length N]\n"
		"                     [--digest NAME]] [-o FILE] [--json] [-c FILE]")
		"Makes the request with these names, and prints it (PEM); without\n"
		"--cn the one that was made before.\n\n"
		"  --cn, --o, --ou, --l, --st, --country\n"
		"                      common name, organization, unit, city, state,\n"
		"                      country (two letters)\n"
		"  --path-length N     1 (default): a short-lived CA comes under it,\n"
		"                      and its key signs once a week; 0: it signs\n"
		"                      each certificate itself\n"
		"  --digest NAME       SHA256 (default) or SHA384\n"
		"  -o, --out FILE      write it there\n"
		"  --json              what it holds as JSON, for programs\n"
		"  -c, --config FILE   the configuration (YAML)\n", step_csr},
	{"ca upload", "bring the signed certificate",
		USE("upload CA FILE [--json] [-c FILE]")
		"Brings the certificate (PEM) that was made of the request.\n\n"
		COMMON, step_upload},
	{"ca chain", "bring the certificates above it",
		USE("chain CA FILE [--json] [-c FILE]")
		"Brings the certificates above it, up to the root (PEM, in any\n"
		"order).\n\n" COMMON, step_chain},
	{"ca finalize", "make it ready for use",
		USE("finalize CA [--json] [-c FILE]")
		"Makes the CA ready; from then on only its status can change.\n\n"
		COMMON, step_finalize},
	{"ca default", "have it sign",
		USE("default CA [--json] [-c FILE]")
		"Has the CA sign where no rule names another: from the next\n"
		"connection on.\n\n" COMMON, step_make_default},
	{"ca disable", "take it out of use",
		USE("disable CA [--json] [-c FILE]")
		"Takes the CA out of use, for good. Connections under a rule that\n"
		"names it are refused. The default can't be disabled.\n\n"
		COMMON, step_disable},
	{"ca delete", "delete it, and its key",
		USE("delete CA [--yes] [--json] [-c FILE]")
		"Deletes the CA and its private key. The default can't be\n"
		"deleted, nor one that a rule names. On a terminal it asks first.\n"
		"\n"
		"  --yes               it does not ask\n" COMMON, step_delete},
	{"ca revoke", "take back what was signed",
		USE("revoke --issuing SERIAL | --site HOST | --ca CA\n"
		"                       [--json] [-c FILE]")
		"  --issuing SERIAL    a short-lived issuing CA, by its serial or\n"
		"                      key id (\"sallyport ca issuing\"); another is\n"
		"                      made at once\n"
		"  --site HOST         the certificates of a site; where issuing CAs\n"
		"                      signed them, these, and so all of theirs\n"
		"  --ca CA             the intermediate that Sallyport made for\n"
		"                      itself; another takes its place\n" COMMON,
		step_take_back},
	{"ca issuing", "the short-lived issuing CAs",
		USE("issuing [--json] [-c FILE]")
		"Lists the issuing CAs that have not ended.\n\n" COMMON,
		step_issuing},
	{"ca crl", "a revocation list",
		USE("crl [CA] [-o FILE] [-c FILE]")
		"Writes the CRL (DER) of a CA: an id or name of \"sallyport ca\n"
		"list\" (default 1), 2 for the root, or the key id of an issuing\n"
		"CA (\"sallyport ca issuing\").\n\n"
		"  -o, --out FILE      write it there\n"
		"  -c, --config FILE   the configuration (YAML)\n", step_crl},
	{"ca audit", "who did what",
		USE("audit [--json] [-c FILE]")
		"Lists who did what to the CAs, and when: the last 1000.\n\n"
		COMMON, step_audit},
	{NULL, NULL, NULL, NULL},
};
