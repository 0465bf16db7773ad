package main

import (
	"bufio"
	"fmt"
	"slices"

	"github.com/spf13/cobra"

	"konbit/internal/office/interchange"
)

func exportCommand() *cobra.Command {
	return group("export", "Export data in formats of other programs", exportJournalCommand())
}

func exportJournalCommand() *cobra.Command {
	c := &cobra.Command{Use: "journal", Short: "The whole journal, with an assertion of every balance", Args: cobra.NoArgs}
	format := c.Flags().String("format", "hledger", "hledger or beancount")
	c.RunE = func(c *cobra.Command, _ []string) error {
		if !slices.Contains([]string{"hledger", "beancount"}, *format) {
			return fmt.Errorf("%w: --format %s: want hledger or beancount", errUse, *format)
		}
		return withOffice(c.Context(), needDatabase, nil, func(o office) error {
			out := bufio.NewWriter(c.OutOrStdout())
			if err := interchange.ExportJournal(c.Context(), o.db, out, interchange.Format(*format), o.clocks.Business()); err != nil {
				return err
			}
			return out.Flush()
		})
	}
	return c
}
