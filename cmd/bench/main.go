// Command bench measures the donation path and compares it with reference programs on this machine:
//
//	go run ./cmd/bench                     every row, in three rounds: half an hour
//	go run ./cmd/bench -quick              smaller numbers: under five minutes
//	go run ./cmd/bench -only settle,form -rounds 5 -json
//
// It starts the services that it needs on this machine and prints a table: our figure, the reference's figure, their
// ratio and the goal. Exit status: 0 if every goal is met, 1 if not, 2 for wrong use. `go doc
// konbit/internal/workshop/bench` describes the rows.
package main

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"slices"
	"strings"
	"syscall"
	"testing"

	"konbit/internal/workshop/bench"
	"konbit/internal/workshop/testkit"
)

func main() {
	asJSON := flag.Bool("json", false, "print JSON")
	quick := flag.Bool("quick", false, "smaller numbers, under five minutes in all")
	rounds := flag.Int("rounds", 3, "number of samples of each measurement")
	only := flag.String("only", "", "names of rows, separated by commas; empty: all")
	flag.Parse()
	chosen, err := choose(*only)
	if err == nil && (*rounds < 1 || flag.NArg() > 0) {
		err = fmt.Errorf("%d rounds of %q", *rounds, flag.Args())
	}
	if err != nil {
		fmt.Fprintf(os.Stderr, "bench: %v\n", err)
		flag.Usage()
		os.Exit(2)
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	r := report{Machine: machine(), Rows: []bench.Line{}}
	for _, row := range chosen {
		lines, err := measure(ctx, row, *rounds, *quick)
		if r.Rows = append(r.Rows, lines...); err != nil {
			r.Failed = append(r.Failed, fmt.Sprintf("%s: %v", row.Name, err))
		}
	}
	if *asJSON {
		_ = json.NewEncoder(os.Stdout).Encode(r)
	} else {
		r.table(os.Stdout)
	}
	for _, failure := range r.Failed {
		fmt.Fprintln(os.Stderr, "\n"+failure)
	}
	if !r.met() {
		os.Exit(1)
	}
}

// choose returns the rows with these names, or all rows if names is empty.
func choose(names string) ([]bench.Row, error) {
	all := bench.Rows()
	if names == "" {
		return all, nil
	}
	var chosen []bench.Row
	for name := range strings.SplitSeq(names, ",") {
		i := slices.IndexFunc(all, func(r bench.Row) bool { return r.Name == name })
		if i < 0 {
			return nil, fmt.Errorf("there is no row %q", name)
		}
		chosen = append(chosen, all[i])
	}
	return chosen, nil
}

// measure runs a row. If the row fails, it returns the lines measured before the failure.
func measure(ctx context.Context, row bench.Row, rounds int, quick bool) ([]bench.Line, error) {
	bar := newProgressBar()
	defer bar.end()
	m := bench.NewMeter(row, rounds, quick)
	m.Step = bar.step
	err := testkit.Try(ctx, row.Name, func(t testing.TB) { row.Measure(t, m) })
	if ctx.Err() != nil {
		err = ctx.Err()
	}
	return m.Lines, err
}
