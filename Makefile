# `make demo` starts Konbit on this machine, `make test` runs all tests, `make check` looks at the code without running it.

GOLANGCI_LINT = github.com/golangci/golangci-lint/v2/cmd/golangci-lint@v2.15.0
GOVULNCHECK = golang.org/x/vuln/cmd/govulncheck@v1.8.0

.PHONY: demo demo-reset test test-faults test-short test-deps check check-tools build sbom outdated

# Runs everything on one machine: database, stand-in for Stripe, mail catcher, server. It runs until Ctrl-C and keeps its data.
demo:
	@.ci/install demo
	@go build -buildvcs=false -o bin/demo ./cmd/demo && exec bin/demo

# Deletes the demo's data.
demo-reset:
	@go run ./cmd/demo reset

# Packages that use browsers are begun first: they take longest, and wait for other processes half of the time. The package that kills
# servers has a target of its own.
BROWSING = konbit/internal/workshop/e2e konbit/internal/workshop/e2e/week konbit/internal/web konbit/internal/web/give konbit/internal/web/office konbit/internal/web/office/refunds konbit/internal/web/portal konbit/internal/view
BREAKING = konbit/internal/workshop/chaos

# Tests wait for PostgreSQL, browsers and servers more than they compute, so more of them run at once than there are cores.
# -vet=off: "make check" runs go vet on everything. Without tables for debuggers, linking 60 programs takes two minutes of a processor less.
# GOGC: the machine has memory for rarer collections, which would take a seventeenth of the processors.
TEST = GOGC=400 go test -vet=off -ldflags='-s -w' -timeout 20m

# All tests, with a real PostgreSQL and a real browser, except the promises under faults.
test: test-deps
	@$(TEST) -p 3 -parallel 3 $(BROWSING) $(filter-out $(BROWSING) $(BREAKING),$(shell go list ./...))

# Each promise under faults in short, with servers, databases and networks that are killed, frozen and cut. cmd/chaos runs them at length.
test-faults: test-deps
	@$(TEST) -parallel 2 $(BREAKING)

# The rules alone, without PostgreSQL and without a browser. Only packages that changed run again; after a change that all of them see, a
# minute goes into linking them anew.
test-short:
	@$(TEST) -short ./...

# Installs what the tests need and this machine lacks.
test-deps:
	@.ci/install test

# Checks the code without running the program: the linters of .golangci.yml with gofmt and go vet, the modules' hashes, known
# vulnerabilities. The list of vulnerabilities needs the network; without network, it says so. A tool is compiled only if .cache/bin
# has none of its version and of this Go.
check: check-tools
	go mod verify
	.cache/bin/golangci-lint run
	@.cache/bin/govulncheck ./...; status=$$?; \
		if [ $$status = 3 ]; then exit 1; elif [ $$status != 0 ]; then echo "check: the list of known vulnerabilities could not be read; not checked"; fi

check-tools:
	@.ci/tool $(GOLANGCI_LINT)
	@.ci/tool $(GOVULNCHECK)

build:
	go build -o bin/konbit ./cmd/konbit

# Writes the software bill of materials: each module in the program, with its version and hash, as the program itself records it.
sbom: build
	go version -m bin/konbit > bin/konbit.sbom

# Lists newer versions of the modules that go.mod requires itself. .github/SECURITY.md says how soon each is taken. Needs the network.
outdated:
	@go list -m -u -f '{{if and .Update (not .Indirect)}}{{.Path}} {{.Version}}: {{.Update.Version}} of {{.Update.Time.Format "2006-01-02"}}{{end}}' all
