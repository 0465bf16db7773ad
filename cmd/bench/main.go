// Command bench measures the donation path and compares it with reference programs on this machine:
//
//	go run ./cmd/bench                     every row, in three rounds: half an hour
//	go run ./cmd/bench -quick              smaller numbers: under five minutes
//	go run ./cmd/bench -only settle,form -rounds 5 -json
//	go run ./cmd/bench -only settle -beside http://127.0.0.1:3068/v2/main/transactions -body transaction.json
//
// The last command measures another program in the rounds of the row settle: it sends the file as the body of a POST, with
// an id for each {{id}} in it. The program must run on this machine.
//
// It starts the services that it needs on this machine and prints a table: our figure, the reference's figure, their
// ratio and the goal. Exit status: 0 if every goal is met, 1 if not, 2 for wrong use. `go doc
// konbit/internal/workshop/bench` describes the rows.
package main

import (
	"context"
	"encoding/json"
	"errors"
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
	beside := flag.String("beside", "", "address of another program that books a payment for each POST, for the row settle")
	body := flag.String("body", "", "file with the body for -beside; {{id}} becomes an id of each request")
	var header []string
	flag.Func("header", "header line for -beside, such as \"X-Key: secret\"; may be repeated", func(line string) error {
		header = append(header, line)
		return nil
	})
	flag.Parse()
	chosen, err := choose(*only)
	rival, rivalErr := readRival(*beside, *body, header)
	err = errors.Join(err, rivalErr)
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
	run := func(row bench.Row, large *bench.Large) {
		m := bench.NewMeter(row, *rounds, *quick)
		m.Rival, m.Large = rival, large
		lines, err := measure(ctx, row, m)
		if r.Rows = append(r.Rows, lines...); err != nil {
			r.Failed = append(r.Failed, fmt.Sprintf("%s: %v", row.Name, err))
		}
	}
	isLarge := func(row bench.Row) bool { return row.Large }
	for _, row := range slices.DeleteFunc(slices.Clone(chosen), isLarge) {
		run(row, nil)
	}
	if slices.ContainsFunc(chosen, isLarge) { // they share a database, which is filled once, and measure last
		err := testkit.Try(ctx, "large", func(t testing.TB) {
			large := bench.NewLarge(t)
			for _, row := range chosen {
				if row.Large {
					run(row, large)
				}
			}
		})
		if err != nil {
			r.Failed = append(r.Failed, err.Error())
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

// readRival returns the program at an address, or nil if address is empty.
func readRival(address, file string, header []string) (*bench.Rival, error) {
	if address == "" && file == "" && len(header) == 0 {
		return nil, nil
	}
	if address == "" || file == "" {
		return nil, errors.New("-beside and -body need each other")
	}
	body, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	return bench.NewRival(address, body, header)
}

// measure runs a row. If the row fails, it returns the lines measured before the failure.
func measure(ctx context.Context, row bench.Row, m *bench.Meter) ([]bench.Line, error) {
	bar := newProgressBar()
	defer bar.end()
	m.Step = bar.step
	err := testkit.Try(ctx, row.Name, func(t testing.TB) { row.Measure(t, m) })
	if ctx.Err() != nil {
		err = ctx.Err()
	}
	return m.Lines, err
}
