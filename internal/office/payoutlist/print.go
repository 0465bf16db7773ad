package payoutlist

import (
	"fmt"
	"io"
	"strconv"
	"text/tabwriter"
)

// Print writes a comparison for people.
func Print(to io.Writer, c Comparison) error {
	if len(c.Differences) > 0 {
		w := tabwriter.NewWriter(to, 0, 0, 2, ' ', 0)
		fmt.Fprintln(w, "DIFFERENCE\tREPORT\tHERE\tLINE\tTRANSACTION\tPAYOUT")
		for _, d := range c.Differences {
			line := ""
			if d.Line > 0 {
				line = strconv.Itoa(d.Line)
			}
			fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%s\n", d.Kind, d.Report, d.Here, line, d.Transaction, d.Payout)
		}
		if err := w.Flush(); err != nil {
			return err
		}
	}
	_, err := fmt.Fprintf(to, "Compared %d rows of %d payouts: %d differences.\n", c.Rows-c.WithoutName, c.Payouts, len(c.Differences))
	if err == nil && c.WithoutName > 0 {
		_, err = fmt.Fprintf(to, "%d rows name no automatic payout and were not compared.\n", c.WithoutName)
	}
	return err
}
