# acdclip: `make` lists what there is to make.

SHELL         := /bin/bash
.SHELLFLAGS   := -euo pipefail -c
.DEFAULT_GOAL := help
MAKEFLAGS     += --no-print-directory
.NOTPARALLEL:

VERSION := $(shell git describe --tags --always --dirty 2>/dev/null || echo devel)
PREFIX  := /usr/local
FUZZTIME := 10s
# Never from the cache: it does not see golden data outside the checkout change.
GO_TEST := go test -count=1 -timeout 40m

# Each package with all that it and its tests reach.
PACKAGES := go list -f '{{.ImportPath}} {{join .Deps " "}} {{join .TestImports " "}} {{join .XTestImports " "}}' ./...
# Those of the packages on libtorch that have goroutines of their own.
RACED := /(pkg/detect|pkg/training|cmd/acdclip)$$

# Programs are linked with build/link in libtorch's place, and load libtorch when they run.
LINK := '-L$(CURDIR)/build/link'
export CGO_ENABLED := 1
export CGO_LDFLAGS := $(LINK)

.PHONY: help build test test-pure fuzz lint demo env install clean native link tools

help: ## list the targets
	@awk -F ': .*## ' '/^[a-z-]+:.*## / {printf "make %-10s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

build: native link ## find or fetch libtorch, build the native part once, and bin/acdclip
	@go build -buildvcs=false -ldflags '-X main.version=$(VERSION)' -o bin/acdclip ./cmd/acdclip

demo: build ## draw two datasets, train on one, evaluate and predict on the other
	@scripts/demo.sh

test: lint test-pure native ## lint and all tests
	@echo "== packages on libtorch"
	@$(GO_TEST) $$($(PACKAGES) | grep acdclip/cgo/torch | cut -d ' ' -f 1 | grep -vE '$(RACED)')
	@echo "== detection, training and the program, with the race detector"
	@GORACE=atexit_sleep_ms=0 $(GO_TEST) -race $$(go list ./... | grep -E '$(RACED)')

# The packages that do not reach cgo/torch, in themselves or in their tests.
test-pure: tools ## the tests that need no libtorch: without cgo, then with the race detector
	@pure=$$($(PACKAGES) | grep -v acdclip/cgo/torch | cut -d ' ' -f 1); \
	 echo "== packages that need no libtorch, without cgo"; CGO_ENABLED=0 $(GO_TEST) $$pure; \
	 echo "== the same, with the race detector"; $(GO_TEST) -race $$pure

fuzz: tools ## every fuzz target for FUZZTIME (10s)
	@CGO_ENABLED=0 scripts/fuzz.sh $(FUZZTIME)

lint: link ## gofmt, go vet and staticcheck
	@echo "== gofmt, go vet, staticcheck"
	@changed=$$(gofmt -l .); [[ -z $$changed ]] || { printf 'gofmt would change:\n%s\n' "$$changed" >&2; exit 1; }
	@go vet ./...
	@go tool staticcheck ./...

env: link ## print what go, gopls and an IDE need: eval "$(make -s env)"
	@printf 'export CGO_ENABLED=1\nexport CGO_LDFLAGS="%s"\n' "$(LINK)"

install: build ## put the program and its libraries below PREFIX (/usr/local)
	@scripts/install.sh "$(PREFIX)"

clean: ## remove all that was built or fetched
	@rm -rf build bin

native: tools
	@scripts/build-native.sh

link: tools
	@scripts/build-link.sh

tools:
	@scripts/tools.sh go gcc g++ git
