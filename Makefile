# Sallyport. `make` builds build/sallyport, installing what that needs where it
# is missing; `make help` says what else there is. Plain GNU make, nothing to
# configure. To be set on the command line or in the environment:
#
#   CC, CFLAGS, LDFLAGS  as usual          BUILD=folder       for what is built
#   BORINGSSL_DIR=prefix a BoringSSL of your own
#   PREFIX, DESTDIR      for install       V=1          show commands
#   CI=true              warnings are errors
#   JOBS=n               compilers at once FUZZ_TIME=seconds of each fuzzer

VARIANT ?= plain
BUILD ?= build
CFLAGS ?= -O2 -g
FUZZ_TIME ?= 60
PREFIX ?= /usr/local
ifeq ($(origin CC),default)
CC := gcc
endif
ifeq ($(VARIANT),fuzz)
CC := clang
endif

# Each variant has a folder of its own, so that flavours do not fight.
B := $(BUILD)$(if $(filter-out plain,$(VARIANT)),/$(VARIANT))
BIN := $(B)/sallyport
LIB := $(B)/libsallyport.a

all: $(BIN)  ## build build/sallyport (the default)

.DELETE_ON_ERROR:
.SUFFIXES:
.PHONY: all lib units fuzzers tools benches run test asan tsan fuzz fuzz-run lint format \
	bench bench-quick bench-micro bench-guess bench-tools install uninstall clean help FORCE

# All cores, unless JOBS says otherwise.
ifeq ($(MAKELEVEL)$(filter -j%,$(MAKEFLAGS)),0)
MAKEFLAGS += -j$(or $(JOBS),$(shell nproc))
endif
Q := $(if $(V),,@)
say = $(if $(V),,@printf '  %-5s %s\n' $(1) '$(2)';)

# ---- what it is made of ----------------------------------------------------

# The first make of a folder asks for the packages and the libraries, and
# writes what it found to libs.mk; make then starts over with it.
NO_LIBS := lint format uninstall clean help asan tsan fuzz
ifneq ($(filter-out $(NO_LIBS),$(or $(MAKECMDGOALS),all)),)
include $(B)/libs.mk
endif
ASKED := $(BORINGSSL_DIR)$(if $(BORINGSSL_FALLBACK),fallback)
ifneq ($(BORINGSSL_ASKED),$(if $(filter install,$(MAKECMDGOALS)),$\
	$(BORINGSSL_ASKED),$(ASKED)))
LIBS_STALE := FORCE
endif
ifeq ($(wildcard $(BORINGSSL)/include/openssl/ssl.h),)
LIBS_STALE := FORCE
endif

$(B)/libs.mk: .ci/setup .ci/libs .ci/boringssl $(LIBS_STALE)
	@mkdir -p $(B)
	@.ci/setup build
	@.ci/libs $(VARIANT) $(B) >$@.new && mv $@.new $@

SRC := $(sort $(wildcard policy/*.c pki/*.c cache/*.c proxy/*/*.c))
OBJ := $(SRC:%.c=$(B)/obj/%.o) \
	$(patsubst /%.c,$(B)/obj/%.o,$(LLHTTP_SOURCES))
UNIT_SRC := $(sort $(wildcard tests/unit/*/test_*.c))
# What several tests share: of all rooms, and of one.
SUPPORT := $(filter-out %/replay.c $(UNIT_SRC),\
	$(wildcard tests/support/*.c tests/unit/*/*.c))
SUPPORT_OBJ := $(SUPPORT:%.c=$(B)/obj/%.o)
UNITS := $(UNIT_SRC:%.c=$(B)/%)
FUZZ_SRC := $(sort $(wildcard tests/fuzz/fuzz_*.c))
FUZZERS := $(FUZZ_SRC:%.c=$(B)/%)

# ---- how -------------------------------------------------------------------

WARN := -Wall -Wextra -Wshadow -Wconversion -Wstrict-prototypes \
	-Wmissing-prototypes -Wswitch-enum -Wenum-conversion -Wundef -Wvla \
	-Wformat=2
ifneq ($(CI),)
WARN += -Werror
endif

FLAGS_plain := -fPIE -fstack-protector-strong -U_FORTIFY_SOURCE \
	-D_FORTIFY_SOURCE=2
FLAGS_asan := -fPIE -fno-omit-frame-pointer -fsanitize=address,undefined \
	-fno-sanitize-recover=undefined
FLAGS_tsan := -fPIE -fno-omit-frame-pointer -fsanitize=thread
FLAGS_fuzz := -fPIE -fno-omit-frame-pointer \
	-fsanitize=fuzzer-no-link,address,undefined \
	-fno-sanitize-recover=undefined
LINK_plain := -pie -Wl,-z,relro,-z,now
LINK_asan := -pie -fsanitize=address,undefined
LINK_tsan := -pie -fsanitize=thread
LINK_fuzz := -pie -fsanitize=address,undefined

# LLHTTP_STRICT_MODE: llhttp 8 is lenient unless told at compile time.
BASE := -std=c11 -D_GNU_SOURCE -DLLHTTP_STRICT_MODE=1 -I. -pthread \
	$(FLAGS_$(VARIANT)) $(DEPS_CFLAGS) $(CPPFLAGS) $(CFLAGS)
LINK = $(CC) $(CFLAGS) -pthread $(LINK_$(VARIANT)) -Wl,--as-needed $(LDFLAGS)

$(BIN): $(B)/obj/proxy/main.o $(LIB)
	$(call say,LINK,$@)$(LINK) -o $@ $^ $(DEPS_LIBS)

$(LIB): $(OBJ)
	$(call say,AR,$@)rm -f $@ && ar rcsD $@ $(OBJ)

$(B)/obj/%.o: %.c $(B)/libs.mk Makefile
	@mkdir -p $(@D)
	$(call say,CC,$<)$(CC) $(BASE) $(WARN) -MMD -MP -c -o $@ $<

$(B)/obj/usr/%.o: /usr/%.c $(B)/libs.mk Makefile
	@mkdir -p $(@D)
	$(call say,CC,$<)$(CC) $(BASE) -w -MMD -c -o $@ $<

$(B)/libsupport.a: $(SUPPORT_OBJ)
	$(call say,AR,$@)rm -f $@ && ar rcsD $@ $(SUPPORT_OBJ)

$(UNITS): $(B)/%: $(B)/obj/%.o $(B)/libsupport.a $(LIB)
	@mkdir -p $(@D)
	$(call say,LINK,$@)$(LINK) -o $@ $^ -lcmocka $(DEPS_LIBS)

# Without libFuzzer a small driver feeds the corpus; with it, it brings main.
FUZZ_MAIN := $(if $(filter fuzz,$(VARIANT)),,$(B)/obj/tests/support/replay.o)
$(FUZZERS): $(B)/%: $(B)/obj/%.o $(FUZZ_MAIN) $(B)/libsupport.a $(LIB)
	@mkdir -p $(@D)
	$(call say,LINK,$@)$(LINK) $(if $(FUZZ_MAIN),,-fsanitize=fuzzer) \
		-o $@ $^ $(DEPS_LIBS)

# What the system tests use beside programs that are there.
TOOLS := $(patsubst tests/tools/%.c,$(B)/tests/tools/%,\
	$(wildcard tests/tools/*.c))
$(TOOLS): $(B)/%: $(B)/obj/%.o
	@mkdir -p $(@D)
	$(call say,LINK,$@)$(LINK) -o $@ $^ $(DEPS_LIBS)

# The load shares no code with what it measures; the micro-benchmarks are it.
BENCH_TOOLS := $(addprefix $(B)/bench/,load relay sites)
MICROS := $(patsubst bench/micro/%.c,$(B)/bench/micro/%,\
	$(wildcard bench/micro/*.c))
LOAD_OBJ := client histogram usage
$(B)/bench/load: $(LOAD_OBJ:%=$(B)/obj/bench/load/%.o)
$(BENCH_TOOLS): $(B)/bench/%: $(B)/obj/bench/load/%.o
	@mkdir -p $(@D)
	$(call say,LINK,$@)$(LINK) -o $@ $^ $(DEPS_LIBS)
$(MICROS): $(B)/bench/micro/%: $(B)/obj/bench/micro/%.o $(LIB)
	@mkdir -p $(@D)
	$(call say,LINK,$@)$(LINK) -o $@ $^ $(DEPS_LIBS)

.SECONDARY:
-include $(shell test -d $(B)/obj && find $(B)/obj -name '*.d')

lib: $(LIB) ; @:
units: $(UNITS) ; @:
fuzzers: $(FUZZERS) ; @:
tools: $(TOOLS) ; @:
benches: $(BENCH_TOOLS) $(MICROS) ; @:

# ---- using it --------------------------------------------------------------

run: $(BIN)  ## start it on 127.0.0.1:8080, with a CA of its own
	@.ci/setup run
	@exec $(BIN) run

test:  ## run every test; closes with "N passed, N failed, N skipped"
	@.ci/setup test
	@.ci/npm build/npm
	$(Q)$(MAKE) --no-print-directory $(BIN) fuzzers tools benches \
		$(if $(CI),,CI=test)
	$(Q)if pkg-config --exists cmocka; then \
		$(MAKE) --no-print-directory units $(if $(CI),,CI=test); fi
	@.ci/test $(VARIANT) $(B)

asan:  ## the tests with AddressSanitizer and UBSan
	$(Q)$(MAKE) --no-print-directory VARIANT=asan test

tsan:  ## the tests with ThreadSanitizer
	$(Q)$(MAKE) --no-print-directory VARIANT=tsan test

fuzz:  ## each fuzzer for FUZZ_TIME seconds (60)
	@.ci/setup fuzz
	$(Q)$(MAKE) --no-print-directory VARIANT=fuzz fuzz-run

fuzz-run: $(FUZZERS)
	$(Q).ci/fuzz $(B) $(FUZZ_TIME) $(FUZZERS)

lint:  ## what a script can check: arrows, sizes, banned words
	@.ci/setup lint
	@.ci/lint $(BUILD)/sallyport

format:  ## let clang-format write the lines that are not committed yet
	@.ci/setup lint
	$(Q)git clang-format --extensions c,h || test $$? -eq 1 # it changed some

bench-tools: $(BIN) $(BENCH_TOOLS) $(MICROS)
	@.ci/setup bench

bench: bench-micro  ## hot pieces, then all beside every peer here: an hour or more
	$(Q)bench/run.py $(B)
bench-quick: bench-tools  ## some of it beside nginx and haproxy, a minute or two; root
	$(Q)bench/run.py --quick $(B)
bench-guess: bench-tools  ## what guessing passwords costs the others, a minute
	$(Q)bench/guessing.py $(B)
bench-micro: bench-tools  ## hot pieces alone; a line "name value unit" each
	$(Q)set -e; for m in $(MICROS); do $$m; done

MAN := $(wildcard proxy/install/sallyport.8)
DOC := $(DESTDIR)$(PREFIX)/share/doc/sallyport
install: $(BIN)  ## binary, manual, API description, example, systemd unit under PREFIX
	install -Dm755 $(BIN) $(DESTDIR)$(PREFIX)/bin/sallyport
	$(if $(MAN),install -Dm644 $(MAN) \
		$(DESTDIR)$(PREFIX)/share/man/man8/sallyport.8)
	install -Dm644 proxy/admin/openapi.json $(DOC)/openapi.json
	install -Dm644 proxy/install/grafana.json $(DOC)/grafana.json
	install -Dm644 -t $(DOC)/example proxy/install/example/sallyport.yaml
	install -Dm644 -t $(DOC)/example/lists proxy/install/example/lists/*.txt
	install -Dm644 proxy/install/sallyport.sysusers \
		$(DESTDIR)$(PREFIX)/lib/sysusers.d/sallyport.conf
	install -dm755 $(DESTDIR)$(PREFIX)/lib/systemd/system
	sed 's|@bin@|$(PREFIX)/bin|g' proxy/install/sallyport.service \
		>$(DESTDIR)$(PREFIX)/lib/systemd/system/sallyport.service

uninstall:  ## take those away again
	rm -f $(DESTDIR)$(PREFIX)/bin/sallyport \
		$(DESTDIR)$(PREFIX)/share/man/man8/sallyport.8 \
		$(DOC)/openapi.json $(DOC)/grafana.json \
		$(DESTDIR)$(PREFIX)/lib/sysusers.d/sallyport.conf \
		$(DESTDIR)$(PREFIX)/lib/systemd/system/sallyport.service
	rm -rf $(DOC)/example

clean:  ## remove build/
	rm -rf $(BUILD)

help:  ## this
	@awk -F ':.*## *' '/^[a-z-]+:.*## / { printf "make %-11s %s\n", $$1, $$2 }' \
		Makefile
	@sed -n '/^#   /s/^#   //p' Makefile
