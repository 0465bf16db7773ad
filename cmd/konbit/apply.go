package main

import (
	"fmt"
	"os"

	"github.com/spf13/cobra"

	"konbit/internal/app"
	"konbit/internal/office/setup"
	"konbit/internal/view"
	"konbit/templates"
)

func applyCommand() *cobra.Command {
	c := &cobra.Command{Use: "apply FILE", Short: "Change organisations and funds to what a file declares", Args: exactly("FILE")}
	dryRun := c.Flags().Bool("dry-run", false, "show the difference, change nothing")
	asJSON := c.Flags().Bool("json", false, "print JSON")
	c.RunE = func(c *cobra.Command, args []string) error {
		data, err := os.ReadFile(args[0])
		if err != nil {
			return err
		}
		words, err := view.LoadWords(templates.FS)
		if err != nil {
			return err
		}
		file, err := setup.Rules{Languages: words.Languages(), Accent: view.CheckAccent}.Read(args[0], data)
		if err != nil {
			return err
		}
		return withOffice(c.Context(), needOwner, nil, func(o office) error {
			result, err := setup.Apply(c.Context(), o.db, file, o.clocks.Business(), app.NewID, *dryRun)
			if err != nil {
				return err
			}
			if *asJSON {
				return printJSON(c, result)
			}
			fmt.Fprint(c.OutOrStdout(), result)
			return nil
		})
	}
	return c
}
