package main

import (
	"bufio"
	"fmt"
	"slices"

	"github.com/spf13/cobra"

	"konbit/internal/office/giftlist"
	"konbit/internal/office/interchange"
)

func exportCommand() *cobra.Command {
	return group("export", "Export data in formats of other programs", exportJournalCommand(), exportGiftsCommand(), finance().ExportAll())
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

func exportGiftsCommand() *cobra.Command {
	c := &cobra.Command{Use: "gifts", Short: "The gifts of a legal entity with their donors as CSV, the newest first", Args: cobra.NoArgs}
	slug := c.Flags().String("entity", "", "the legal entity (its slug)")
	c.RunE = func(c *cobra.Command, _ []string) error {
		return withOffice(c.Context(), needDatabase, nil, func(o office) error {
			names, err := interchange.Names(c.Context(), o.db)
			if err != nil {
				return err
			}
			for id, known := range names.Entities {
				if known == *slug {
					return giftlist.WriteCSV(c.Context(), o.db, c.OutOrStdout(), giftlist.Filter{EntityID: id}, names.Funds)
				}
			}
			return fmt.Errorf("%w: --entity %s: no legal entity has this slug", errUse, *slug)
		})
	}
	return c
}
