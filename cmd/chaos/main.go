// Command chaos proves the promises that need many tries, each row up to its number:
//
//	go run ./cmd/chaos            the short form, as the tests do it
//	go run ./cmd/chaos -long      in full
//	go run ./cmd/chaos -only orders,kills -number 200 -seed 7
//	go run ./cmd/chaos -only kills -mode safety -donations 500 -replicas 3
//
// It starts what it needs on this machine, ends with a table of what was asked and what was reached, and with status 0 if all of
// it was reached, 1 if not, 2 for wrong use. What is random follows from the seed it prints.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"os/signal"
	"slices"
	"strings"
	"syscall"
	"testing"
	"text/tabwriter"
	"time"

	"konbit/internal/workshop/chaos"
	"konbit/internal/workshop/testkit"
)

func main() {
	long := flag.Bool("long", false, "up to the full number of each row")
	number := flag.Int("number", 0, "another number to reach, for all rows that are run")
	seed := flag.Uint64("seed", rand.Uint64N(1_000_000)+1, "of all that is random")
	only := flag.String("only", "", "names of rows, with commas between; empty: all")
	mode := flag.String("mode", "", "for rows with faults that blow: safety, what must never be, or liveness, all ends well once they are over; empty: both")
	donations := flag.Int("donations", 0, "gifts to each Konbit of the rows that kill servers; 0: the row's own number")
	replicas := flag.Int("replicas", 2, "servers of each Konbit of the rows that kill servers")
	flag.Parse()
	chosen, err := choose(*only)
	asks := chaos.Run{Seed: *seed, Mode: chaos.Mode(*mode), Donations: *donations, Replicas: *replicas}
	if err = errors.Join(err, asks.Check()); err != nil || flag.NArg() > 0 {
		fmt.Fprintf(os.Stderr, "chaos: %v\n", err)
		flag.Usage()
		os.Exit(2)
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	fmt.Printf("chaos -seed %d at commit %s\n", *seed, commit())
	var results []result
	for _, row := range chosen {
		run := asks
		run.Number = asked(row, *long, *number)
		r := prove(ctx, row, run)
		fmt.Printf("%s: %d of %d, %s, %s; %s\n", r.Name, r.reached, r.asked, r.verdict(), r.took.Round(time.Second), strings.Join(r.found, ", "))
		if r.err != nil {
			fmt.Println(r.err) // here, and not at the end: the rows to come may take hours
		}
		results = append(results, r)
	}
	if !report(results) {
		os.Exit(1)
	}
}

// choose finds rows by name.
func choose(names string) ([]chaos.Row, error) {
	all := chaos.Rows()
	if names == "" {
		return all, nil
	}
	var chosen []chaos.Row
	for name := range strings.SplitSeq(names, ",") {
		i := slices.IndexFunc(all, func(r chaos.Row) bool { return r.Name == name })
		if i < 0 {
			return nil, fmt.Errorf("there is no row %q", name)
		}
		chosen = append(chosen, all[i])
	}
	return chosen, nil
}

// result is a row and what came of it.
type result struct {
	chaos.Row
	asked, reached int
	took           time.Duration
	found          []string // what was measured, each "what value"
	err            error
}

func (r result) held() bool { return r.err == nil && r.reached >= r.asked }

func (r result) verdict() string {
	if r.held() {
		return "held"
	}
	return "BROKEN"
}

func asked(row chaos.Row, long bool, number int) int {
	switch {
	case number > 0:
		return number
	case long:
		return row.Long
	default:
		return row.Short
	}
}

func prove(ctx context.Context, row chaos.Row, run chaos.Run) result {
	bar, notes := newBar(row.Name, run.Number), &notes{}
	run.Reached, run.Found = bar.add, notes.keep
	began := time.Now()
	err := testkit.Try(ctx, row.Name, func(t testing.TB) { row.Prove(t, run) })
	bar.end()
	if ctx.Err() != nil {
		err = ctx.Err()
	}
	return result{row, run.Number, bar.done(), time.Since(began), notes.lines(), err}
}

// report prints the table, and tells whether every row held.
func report(results []result) (held bool) {
	held = true
	table := tabwriter.NewWriter(os.Stdout, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "no\trow\tasked\treached\ttook\t\tmeasured\tpromise")
	for _, r := range results {
		held = held && r.held()
		fmt.Fprintf(table, "%s\t%s\t%d\t%d\t%s\t%s\t%s\t%s\n", r.No, r.Name, r.asked, r.reached, r.took.Round(time.Second), r.verdict(),
			strings.Join(r.found, ", "), r.Promise)
	}
	_ = table.Flush()
	return held
}
