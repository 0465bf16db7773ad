// Package metrics tells Prometheus how the program fares, and lets a technician profile it.
//
// It owns the names of all metrics and is the only room that knows the library. Other rooms report through hooks that
// cmd/konbit ties to the methods here, and answer what waits in their tables when cmd/konbit asks at a scrape. The figures
// are counts, ages in seconds and durations in seconds; there is no money in them.
//
// No label holds what a person typed: requests are named by the pattern of their route, calls to Stripe by their operation,
// states by their name. Every label takes its values from a short fixed list, so a stranger cannot make series.
//
// Its pages (/metrics, /debug/pprof/) are for an address of their own and never for the public one.
package metrics
