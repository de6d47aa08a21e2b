# acdclip: `make` lists the targets.

SHELL         := /bin/bash
.SHELLFLAGS   := -euo pipefail -c
.DEFAULT_GOAL := help
MAKEFLAGS     += --no-print-directory
.NOTPARALLEL:

VERSION := $(shell git describe --tags --always --dirty 2>/dev/null || echo devel)
PREFIX  := /usr/local
FUZZTIME := 10s
# Without the test cache, which does not detect changes of golden data outside the checkout.
GO_TEST := go test -count=1 -timeout 40m

# Each package with everything that it and its tests depend on.
PACKAGES := go list -f '{{.ImportPath}} {{join .Deps " "}} {{join .TestImports " "}} {{join .XTestImports " "}}' ./...
# The packages on libtorch that start goroutines.
RACED := /(pkg/detect|pkg/training|cmd/acdclip)$$

# Programs are linked with build/link instead of libtorch, and load libtorch at run time.
LINK := '-L$(CURDIR)/build/link'
export CGO_ENABLED := 1
export CGO_LDFLAGS := $(LINK)

.PHONY: help build test test-pure fuzz lint demo env install clean native link tools

help: ## list the targets
	@awk -F ': .*## ' '/^[a-z-]+:.*## / {printf "make %-10s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

build: native link ## find or download libtorch, build the native part once, and bin/acdclip
	@go build -buildvcs=false -ldflags '-X main.version=$(VERSION)' -o bin/acdclip ./cmd/acdclip

demo: build ## try the built-in model: predict, evaluate, train, compare
	@scripts/demo.sh

test: lint test-pure native ## run lint and all tests
	@echo "== packages that need libtorch"
	@$(GO_TEST) $$($(PACKAGES) | grep acdclip/cgo/torch | cut -d ' ' -f 1 | grep -vE '$(RACED)')
	@echo "== detection, training and the program, with the race detector"
	@GORACE=atexit_sleep_ms=0 $(GO_TEST) -race $$(go list ./... | grep -E '$(RACED)')

# The packages that do not depend on cgo/torch, including their tests.
test-pure: tools ## tests that do not need libtorch: without cgo, then with the race detector
	@pure=$$($(PACKAGES) | grep -v acdclip/cgo/torch | cut -d ' ' -f 1); \
	 echo "== packages that do not need libtorch, without cgo"; CGO_ENABLED=0 $(GO_TEST) $$pure; \
	 echo "== the same packages, with the race detector"; $(GO_TEST) -race $$pure

fuzz: tools ## run every fuzz target for FUZZTIME (10s)
	@CGO_ENABLED=0 scripts/fuzz.sh $(FUZZTIME)

lint: link ## gofmt, go vet and staticcheck
	@echo "== gofmt, go vet, staticcheck"
	@changed=$$(gofmt -l .); [[ -z $$changed ]] || { printf 'gofmt would change:\n%s\n' "$$changed" >&2; exit 1; }
	@go vet ./...
	@go tool staticcheck ./...

env: link ## print environment variables for go, gopls and an IDE: eval "$(make -s env)"
	@printf 'export CGO_ENABLED=1\nexport CGO_LDFLAGS="%s"\n' "$(LINK)"

install: build ## install the program and its libraries below PREFIX (/usr/local)
	@scripts/install.sh "$(PREFIX)"

clean: ## remove all built and downloaded files
	@rm -rf build bin

native: tools
	@scripts/build-native.sh

link: tools
	@scripts/build-link.sh

tools:
	@scripts/tools.sh go gcc g++ git
