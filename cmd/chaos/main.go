// Command chaos tests the promises that need many tries. Each row is one promise with a target number of tries:
//
//	go run ./cmd/chaos            the short form, as the tests do it
//	go run ./cmd/chaos -long      in full
//	go run ./cmd/chaos -only orders,kills -number 200 -seed 7
//	go run ./cmd/chaos -only kills -mode safety -donations 500 -replicas 3
//	go run ./cmd/chaos -only upgrade -previous PATH
//
// It starts the services that it needs on this machine and prints a table of targets and results. Exit status: 0 if
// all targets were reached, 1 if not, 2 for wrong use. All random values follow from the seed that it prints.
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
	long := flag.Bool("long", false, "run the full number of each row")
	number := flag.Int("number", 0, "another target number, for all rows that run")
	seed := flag.Uint64("seed", rand.Uint64N(1_000_000)+1, "seed of all random values")
	only := flag.String("only", "", "names of rows, separated by commas; empty: all")
	mode := flag.String("mode", "", "for rows with faults: safety (no rule is broken during faults) or liveness (all work ends after faults); empty: both")
	donations := flag.Int("donations", 0, "donations to each program in rows that kill servers; 0: the row's own number")
	replicas := flag.Int("replicas", 2, "servers of each program in rows that kill servers")
	previous := flag.String("previous", "", "path of the previous release's program, for the row upgrade; empty: that row is not run")
	flag.Parse()
	chosen, err := choose(*only)
	options := chaos.Run{Seed: *seed, Mode: chaos.Mode(*mode), Donations: *donations, Replicas: *replicas, Previous: *previous}
	chosen, notRun := runnable(chosen, *previous)
	if *only != "" && len(notRun) > 0 {
		err = errors.Join(err, errors.New(notRun[0]))
	}
	if err = errors.Join(err, options.Check()); err != nil || flag.NArg() > 0 {
		fmt.Fprintf(os.Stderr, "chaos: %v\n", err)
		flag.Usage()
		os.Exit(2)
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	fmt.Printf("chaos -seed %d at commit %s\n", *seed, commit())
	var results []result
	for _, row := range chosen {
		run := options
		run.Count = target(row, *long, *number)
		r := runRow(ctx, row, run)
		fmt.Printf("%s: %d of %d, %s, %s; %s\n", r.Name, r.reached, r.target, r.verdict(), r.took.Round(time.Second), strings.Join(r.found, ", "))
		if r.err != nil {
			fmt.Println(r.err) // printed now, because the next rows may take hours
		}
		results = append(results, r)
	}
	held := report(results)
	for _, why := range notRun {
		fmt.Println(why)
	}
	if !held {
		os.Exit(1)
	}
}

// runnable returns the rows that can run, and for each other row why it is not run.
func runnable(chosen []chaos.Row, previous string) (rows []chaos.Row, notRun []string) {
	for _, row := range chosen {
		if row.NeedsPrevious && previous == "" {
			notRun = append(notRun, row.Name+": not run, because it needs a program of the previous release: -previous PATH")
			continue
		}
		rows = append(rows, row)
	}
	return rows, notRun
}

// choose returns the rows with these names, or all rows if names is empty.
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

// result is a row with its result.
type result struct {
	chaos.Row
	target, reached int
	took            time.Duration
	found           []string // measured values, each as "name value"
	err             error
}

func (r result) held() bool { return r.err == nil && r.reached >= r.target }

func (r result) verdict() string {
	if r.held() {
		return "held"
	}
	return "BROKEN"
}

func target(row chaos.Row, long bool, number int) int {
	switch {
	case number > 0:
		return number
	case long:
		return row.Long
	default:
		return row.Short
	}
}

func runRow(ctx context.Context, row chaos.Row, run chaos.Run) result {
	bar, measured := newProgressBar(row.Name, run.Count), &measurements{}
	run.Progress, run.Record = bar.add, measured.set
	began := time.Now()
	err := testkit.Try(ctx, row.Name, func(t testing.TB) { row.Prove(t, run) })
	bar.end()
	if ctx.Err() != nil {
		err = errors.Join(ctx.Err(), err)
	}
	return result{row, run.Count, bar.done(), time.Since(began), measured.lines(), err}
}

// report prints the table and reports whether every row held.
func report(results []result) (held bool) {
	held = true
	table := tabwriter.NewWriter(os.Stdout, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "no\trow\ttarget\treached\ttook\t\tmeasured\tpromise")
	for _, r := range results {
		held = held && r.held()
		fmt.Fprintf(table, "%s\t%s\t%d\t%d\t%s\t%s\t%s\t%s\n", r.No, r.Name, r.target, r.reached, r.took.Round(time.Second), r.verdict(),
			strings.Join(r.found, ", "), r.Promise)
	}
	_ = table.Flush()
	return held
}
