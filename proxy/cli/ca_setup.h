/*
 * ca_setup.h - `sallyport ca setup`: an intermediate CA from nothing to the
 * default, in one talk.
 *
 * It asks, with an answer to each question that is taken when none is given;
 * writes the request to a file; shows how openssl, AD CS and step-ca sign it;
 * and takes what comes back, saying what is wrong with it until it is right.
 * What the API refuses is asked for again. Who breaks off goes on later where
 * the state says: with the same name.
 *
 * Threads: the main one.
 */
#ifndef PROXY_CLI_CA_SETUP_H
#define PROXY_CLI_CA_SETUP_H

#include "proxy/cli/command.h"

/* ca_setup is the command. */
int ca_setup(const struct command *self, int argc, char **argv);

#endif
