# Everything here needs Go alone; what else a target uses, it says when it is missing.
export CGO_ENABLED ?= 0
GO      ?= go
VERSION ?= $(shell git describe --tags --always --dirty 2>/dev/null || echo unknown)
LDFLAGS  = -s -w -X github.com/convene-cal/convene/internal/cli.version=$(VERSION)
GOTEST   = $(GO) run ./internal/harness/gotest
STATICCHECK = $(GO) run honnef.co/go/tools/cmd/staticcheck@v0.8.2
# Packages with goroutines of their own: the ones the race detector is for.
RACY = ./internal/store/... ./internal/account/... ./internal/journal/... ./internal/calendar/... ./internal/transport/... ./internal/server/... ./internal/davserver/... ./internal/web/... ./internal/subscription/... ./internal/mailbox/... ./cip/...
FUZZTIME ?= 30s

.PHONY: demo build test check lint fmt vet race e2e bench bench-growth bench-peers bench-libs fuzz long ui

demo: ## two organisations, one meeting: http://127.0.0.1:8420 and :8421
	$(GO) run ./cmd/convene demo

build: ## one static binary, ./convene
	$(GO) build -trimpath -ldflags '$(LDFLAGS)' -o convene ./cmd/convene

test: ## every test that this machine can run; tells at the end what it could not
	$(GOTEST) ./...

check: fmt vet lint test ## what must be green before a commit

fmt:
	@unformatted=$$(git ls-files '*.go' | xargs gofmt -l); test -z "$$unformatted" || { echo "gofmt -w $$unformatted"; exit 1; }

vet:
	$(GO) vet ./...

lint: fmt vet
	$(STATICCHECK) ./...

race: ## the race detector on the packages with goroutines (needs a C compiler)
	CGO_ENABLED=1 $(GOTEST) -race -gcflags='modernc.org/...=-race=false' $(RACY)

e2e: ## the built binary from outside: scripts, CalDAV clients, mail, crashes
	$(GOTEST) ./e2e/...

bench: ## speed and memory, as docs/benchmarks.md tells
	$(GO) run ./internal/bench/run

GROWTH ?= /var/tmp/convene-growth
SIZES ?= 1000,10000,100000,1000000
bench-growth: ## what stays as fast in a calendar of 1,000 to 1,000,000 events; goes on where it was left
	mkdir -p $(GROWTH)
	$(GO) run ./internal/bench/run -only growth -data $(GROWTH) -sizes $(SIZES)

bench-peers: ## beside Radicale and Cyrus, where they are installed
	$(GO) run ./internal/bench/run -peers

bench-libs: ## package ical beside other libraries, a module of its own
	cd bench/peers && $(GO) run .

fuzz: ## each fuzz target for FUZZTIME
	@for pkg in $$($(GO) list ./...); do \
	  for f in $$($(GO) test -list '^Fuzz' $$pkg | grep '^Fuzz'); do \
	    echo "== $$pkg $$f"; $(GO) test -run '^$$' -fuzz "^$$f$$" -fuzztime $(FUZZTIME) $$pkg || exit 1; \
	  done; done

SEEDS ?= 100000
OFFICES ?= 5000
FIRST ?= 0
RULES ?= 1000000
long: ## what takes hours: the scheduling simulation (SEEDS and OFFICES scripts from FIRST on), random rules, properties, fuzzing
	$(GO) test ./ical/recur -timeout 0 -run TestRandomRules -rules $(RULES)
	$(GO) test ./internal/harness/simulation -v -timeout 0 -run TestPaper -seeds $(SEEDS) -first $(FIRST)
	$(GO) test ./internal/harness/simulation -v -timeout 0 -run TestOffice -offices $(OFFICES) -first $(FIRST)
	$(GO) test ./internal/store -timeout 0 -rapid.checks 1000
	$(MAKE) fuzz FUZZTIME=10m

ui: ## the web application's sources to internal/web/dist (needs Node)
	cd ui && npm ci --ignore-scripts && npx tsc --noEmit
	$(GO) generate ./internal/web
