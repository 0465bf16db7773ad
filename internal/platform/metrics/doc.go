// Package metrics exports figures about the running program for Prometheus, and Go's profiles for operators.
//
// It owns the names of all metrics and is the only package that imports the Prometheus library. cmd/konbit connects the
// hooks of other packages to the methods here. At each scrape, cmd/konbit reads from other packages what waits in their
// tables. The figures are counts, ages in seconds and durations in seconds; none is an amount of money.
//
// No label contains text that a person typed: requests are labelled with the pattern of their route, calls to Stripe
// with their operation, states with their name. Every label has a short fixed list of values, so a visitor cannot
// create new time series.
//
// The pages (/metrics, /debug/pprof/) are served on a separate address, never on the public one.
package metrics
