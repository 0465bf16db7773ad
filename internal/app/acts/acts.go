// Package acts says which commands of the program write to the security log, and writes their entries: who did what at the
// command line, and whether it succeeded (OWASP ASVS 5.0.0 V16.3). An entry has the command's name and the name of the
// operating system's user, and no argument, which may name a person.
package acts

import (
	"fmt"
	"log/slog"
	"os/user"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"konbit/internal/platform/securitylog"
)

// recorded lists the commands that change or show something about people, access, keys, erasures, receipts or plans, or
// that change what the program believes.
var recorded = []string{
	"apply", // names and numbers of legal entities, which receipts state
	"donor move", "donor sign-out",
	"erasures add", "erasures apply", "erasures open", "erasures prepare",
	"event-mode open", "event-mode close",
	"export all", "export gifts", // show names and addresses
	"import bank",  // stores what the bank says about people
	"import gifts", // posts gifts, shows references of gifts
	"keys rotate",
	"migrate", // rights of the server's role, the recorded address
	"payments ignore",
	"receipt find", // shows names and addresses
	"receipt resend", "receipt correct",
	"staff add", "staff approve", "staff break-glass", "staff end", "staff reset", "staff split",
	"statements",
	"stripe endpoint",      // shows a signing secret
	"stripe events replay", // settles gifts
	"tasks close",
}

// unrecorded says why the other commands write no entry.
var unrecorded = map[string]string{
	"bank proof":          "it shows amounts, days and how many lines each kind has",
	"doctor":              "it reads settings and counts",
	"erasures export":     "its list has ids and keyed hashes, and the server writes the same",
	"erasures list":       "it shows ids and days",
	"event-mode list":     "it shows ids and counts",
	"export journal":      "it shows accounts, funds and amounts",
	"keys list":           "it shows fingerprints",
	"ledger balance":      "it shows accounts, funds and amounts",
	"ledger seal":         "the workers do the same each second",
	"payments list":       "it shows counts and amounts",
	"payout compare":      "it shows ids of Stripe and amounts",
	"refunds list":        "it shows ids and amounts, without the notes",
	"ledger verify":       "it shows ids, and computes sums anew from what they are the sums of",
	"serve":               "it writes the log of its requests",
	"stripe events list":  "events are stored without what names a person",
	"stripe events sweep": "the workers do the same every quarter of an hour",
	"staff list":          "it shows who works in the office, as its page does to each auditor",
	"staff verify":        "it reads, and shows ids",
	"tasks list":          "tasks hold ids and figures",
	"work":                "it does the program's own work",
}

// Check reports an error for each command below root that is in neither list, or in both, and for each that the lists name
// and that is not there. oldNames are names that commands had before, by their new ones.
func Check(root *cobra.Command, oldNames map[string]string) (errs []error) {
	seen := map[string]bool{}
	each(root, func(c *cobra.Command) {
		name := nameOf(c, oldNames)
		seen[name] = true
		if slices.Contains(recorded, name) == (unrecorded[name] != "") {
			errs = append(errs, fmt.Errorf("konbit %s: say in package acts whether the security log records it, or why not", name))
		}
	})
	for _, name := range recorded {
		if !seen[name] {
			errs = append(errs, fmt.Errorf("there is no command konbit %s", name))
		}
	}
	for name := range unrecorded {
		if !seen[name] {
			errs = append(errs, fmt.Errorf("there is no command konbit %s", name))
		}
	}
	return errs
}

// Record makes the commands below root that are listed write an entry when they end. log returns the log to write to.
func Record(root *cobra.Command, oldNames map[string]string, log func() *slog.Logger) {
	each(root, func(c *cobra.Command) {
		name, run := nameOf(c, oldNames), c.RunE
		if !slices.Contains(recorded, name) {
			return
		}
		c.RunE = func(c *cobra.Command, args []string) error {
			err := run(c, args)
			(&securitylog.Log{Log: log()}).Act(c.Context(), name, userName(), err)
			return err
		}
	})
}

// each calls do with every command below root that runs.
func each(root *cobra.Command, do func(c *cobra.Command)) {
	for _, c := range root.Commands() {
		if c.HasSubCommands() {
			each(c, do)
		} else {
			do(c)
		}
	}
}

// nameOf returns a command's present name, without that of the program.
func nameOf(c *cobra.Command, oldNames map[string]string) string {
	_, path, _ := strings.Cut(c.CommandPath(), " ")
	for now, old := range oldNames {
		if rest, is := strings.CutPrefix(path, old+" "); is {
			return now + " " + rest
		}
	}
	return path
}

// Operator returns the name of the user who runs the command, for the audit columns.
func Operator() string {
	if name := userName(); name != "" {
		return "command line: " + name
	}
	return "command line"
}

// userName returns the name of the operating system's user; empty if it is not known.
func userName() string {
	u, err := user.Current()
	if err != nil {
		return ""
	}
	return u.Username
}
