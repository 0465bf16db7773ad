package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"konbit/internal/app/acts"
	"konbit/internal/books/org"
	"konbit/internal/office/source"
)

func paymentsCommand() *cobra.Command {
	return group("payments", "Payments that other programs made with the same Stripe account", paymentsListCommand(), paymentsIgnoreCommand())
}

func paymentsListCommand() *cobra.Command {
	c := &cobra.Command{Use: "list", Short: "Count the payments without a mark of ours, by their source", Args: cobra.NoArgs}
	slug := c.Flags().String("entity", "", "only of this legal entity (its slug)")
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
			lines, err := source.List(c.Context(), o.db, org.Slugs(entities), id)
			if err != nil {
				return err
			}
			if *asJSON {
				return printJSON(c, lines)
			}
			return source.Print(c.OutOrStdout(), lines)
		})
	}
	return c
}

func paymentsIgnoreCommand() *cobra.Command {
	c := &cobra.Command{
		Use: "ignore --entity SLUG --metadata KEY | --product ID", Args: cobra.NoArgs, Short: "Ignore payments of another program from now on: not ours",
		Long: "From now on, payments without a mark of ours whose metadata has the key, or whose invoice is about the product, open no task. They\n" +
			"are counted (konbit payments list) and booked, with their fees, refunds and disputes, to account 1095 in operations. Payments that\n" +
			"came before stay in suspense.",
	}
	slug := c.Flags().String("entity", "", "the legal entity (its slug)")
	metadata := c.Flags().String("metadata", "", "a key of the payments' metadata")
	product := c.Flags().String("product", "", "the id of a product of the payments' invoices (prod_…)")
	undo := c.Flags().Bool("undo", false, "do not ignore them any more")
	c.RunE = func(c *cobra.Command, _ []string) error {
		mark, err := source.Mark(*metadata, *product)
		if err != nil || *slug == "" {
			return fmt.Errorf("%w: %w, and --entity", errUse, source.ErrMark)
		}
		return withOffice(c.Context(), needDatabase, nil, func(o office) error {
			entities, err := org.Entities(c.Context(), o.db)
			if err != nil {
				return err
			}
			id, err := entityID(entities, *slug)
			if err != nil {
				return err
			}
			if err := source.Choose(c.Context(), o.db, id, mark, !*undo, acts.Operator(), o.clocks.Business()); err != nil {
				return err
			}
			fmt.Fprintf(c.OutOrStdout(), "Payments of %s with %s are ignored from now on: %t.\n", *slug, mark, !*undo)
			return nil
		})
	}
	return c
}
