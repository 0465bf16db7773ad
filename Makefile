# Everything is one word: `make demo` to try Konbit, `make test` to trust it.

STATICCHECK = honnef.co/go/tools/cmd/staticcheck@v0.8.2
GOVULNCHECK = golang.org/x/vuln/cmd/govulncheck@v1.8.0

.PHONY: demo demo-reset test test-deps check build sbom

# Everything on one machine: database, card stand-in, mail catcher, server. Stays until Ctrl-C, keeps its data.
demo:
	@.ci/install demo
	@go build -buildvcs=false -o bin/demo ./cmd/demo && exec bin/demo

# Drops the demo's data.
demo-reset:
	@go run ./cmd/demo reset

# These drive browsers and servers by the clock: each has the machine to itself. Those with browsers wait for them more than they work.
BROWSING = konbit/internal/web konbit/internal/workshop/e2e
BREAKING = konbit/internal/workshop/chaos

# All tests, with a real PostgreSQL and a real browser.
test: test-deps
	@status=0; \
	go test -timeout 10m $(filter-out $(BROWSING) $(BREAKING),$(shell go list ./...)) || status=1; \
	go test -timeout 10m -p 1 -parallel 3 $(BROWSING) || status=1; \
	go test -timeout 10m $(BREAKING) || status=1; \
	exit $$status

# What the tests need and this machine lacks.
test-deps:
	@.ci/install test

# What a machine can see without running the program. The list of known vulnerabilities needs the network; without it we say so.
check:
	@unformatted="$$(gofmt -l cmd internal migrations templates)"; test -z "$$unformatted" || { echo "gofmt: $$unformatted" >&2; exit 1; }
	go vet ./...
	go mod verify
	go run $(STATICCHECK) ./...
	@GOBIN="$(CURDIR)/.cache/bin" go install $(GOVULNCHECK)
	@.cache/bin/govulncheck ./...; status=$$?; \
		if [ $$status = 3 ]; then exit 1; elif [ $$status != 0 ]; then echo "check: the list of known vulnerabilities could not be read; not checked"; fi

build:
	go build -o bin/konbit ./cmd/konbit

# The software bill of materials: what is in the program, each module with its version and hash, as the program itself holds it.
sbom: build
	go version -m bin/konbit > bin/konbit.sbom
