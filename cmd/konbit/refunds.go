package main

import (
	"github.com/spf13/cobra"

	"konbit/internal/books/org"
	"konbit/internal/office/refund"
)

func refundsCommand() *cobra.Command {
	c := &cobra.Command{Use: "list", Short: "List refunds, the newest first: ordered by staff, or made in Stripe's dashboard", Args: cobra.NoArgs}
	slug := c.Flags().String("entity", "", "only of this legal entity (its slug)")
	waiting := c.Flags().Bool("waiting", false, "only those that are not finished, or failed")
	asJSON := c.Flags().Bool("json", false, "print JSON")
	c.RunE = func(c *cobra.Command, _ []string) error {
		return withOffice(c.Context(), needDatabase, nil, func(o office) error {
			entities, err := org.Entities(c.Context(), o.db)
			if err != nil {
				return err
			}
			id, err := entityID(entities, *slug)
			if err != nil {
				return err
			}
			words, err := officeWords()
			if err != nil {
				return err
			}
			lines, err := refund.Lines(c.Context(), o.db, words, org.Slugs(entities), refund.Filter{EntityID: id, Waiting: *waiting, Limit: 1000})
			if err != nil {
				return err
			}
			if *asJSON {
				return printJSON(c, lines)
			}
			return refund.Print(c.OutOrStdout(), lines)
		})
	}
	return group("refunds", "Refunds", c)
}
