/*
 * docker.h - lines for a Dockerfile, by which an image trusts our root.
 *
 * The certificate stands in them: there is no file to be copied beside them. Which
 * proxy a build goes through is docker's to say (--build-arg), and stays out of the
 * image.
 *
 * Threads: any.
 */
#ifndef PROXY_TOOLS_DOCKER_H
#define PROXY_TOOLS_DOCKER_H

#include <stdio.h>

enum docker_base { DOCKER_DEBIAN, DOCKER_ALPINE, DOCKER_RHEL };

void docker_write(FILE *out, enum docker_base base, const char *root_pem);

#endif
