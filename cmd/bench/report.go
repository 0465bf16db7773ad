package main

import (
	"fmt"
	"io"
	"os/exec"
	"regexp"
	"runtime"
	"text/tabwriter"
	"time"

	"konbit/internal/workshop/bench"
	"konbit/internal/workshop/localpg"
)

// report is the output of bench.
type report struct {
	Machine string       `json:"machine"`
	Rows    []bench.Line `json:"rows"`
	Failed  []string     `json:"failed,omitempty"` // rows that could not be measured, with the reason
}

// machine describes the machine, the versions and the date of the measurement.
func machine() string {
	version := "unknown"
	if postgres, err := localpg.Program("postgres"); err == nil {
		if said, err := exec.Command(postgres, "--version").Output(); err == nil {
			version = regexp.MustCompile(`[0-9]+\.[0-9]+`).FindString(string(said))
		}
	}
	return fmt.Sprintf("%d cores (%s/%s), PostgreSQL %s, %s, %s", runtime.NumCPU(), runtime.GOOS, runtime.GOARCH, version, runtime.Version(),
		time.Now().UTC().Format(time.DateOnly))
}

// met reports whether every row was measured and every goal reached.
func (r report) met() bool {
	for _, line := range r.Rows {
		if !line.Met {
			return false
		}
	}
	return len(r.Failed) == 0
}

func (r report) table(w io.Writer) {
	fmt.Fprintln(w, r.Machine)
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "row\tours\tbeside\tratio\tgoal\t")
	for _, line := range r.Rows {
		beside, ratio := "", ""
		if line.Beside != nil {
			beside, ratio = line.Name+" "+number(*line.Beside)+" "+line.Unit, number(*line.Ratio)
		}
		fmt.Fprintf(table, "%s\t%s %s\t%s\t%s\t%s\t%s\n", line.Row, number(line.Ours), line.Unit, beside, ratio, goal(line), verdict(line))
	}
	_ = table.Flush()
}

func goal(line bench.Line) string {
	switch {
	case line.Goal == nil:
		return ""
	case line.Better == "higher":
		return "≥ " + number(*line.Goal)
	default:
		return "≤ " + number(*line.Goal)
	}
}

func verdict(line bench.Line) string {
	switch {
	case line.Goal == nil:
		return ""
	case line.Met:
		return "met"
	default:
		return "MISSED"
	}
}

// number formats v with three digits.
func number(v float64) string {
	switch {
	case v >= 100:
		return fmt.Sprintf("%.0f", v)
	case v >= 10:
		return fmt.Sprintf("%.1f", v)
	default:
		return fmt.Sprintf("%.2f", v)
	}
}
