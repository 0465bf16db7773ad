package main

import (
	"fmt"
	"os"
	"time"

	"github.com/spf13/cobra"

	"konbit/internal/office/setup"
	"konbit/internal/platform/pg"
	"konbit/internal/platform/phrase"
	"konbit/internal/view"
	"konbit/templates"
)

func applyCommand() *cobra.Command {
	c := &cobra.Command{Use: "apply FILE", Short: "Bring organisations and funds to what a file says", Args: exactly("FILE")}
	dryRun := c.Flags().Bool("dry-run", false, "show the difference, change nothing")
	asJSON := c.Flags().Bool("json", false, "answer in JSON")
	c.RunE = func(c *cobra.Command, args []string) error {
		config, err := loadConfig(needDatabase)
		if err != nil {
			return err
		}
		data, err := os.ReadFile(args[0])
		if err != nil {
			return err
		}
		words, err := phrase.Load(templates.FS, "locales")
		if err != nil {
			return err
		}
		file, err := setup.Rules{Languages: words.Languages(), Accent: view.CheckAccent}.Read(args[0], data)
		if err != nil {
			return err
		}
		db, err := pg.Open(c.Context(), config.DatabaseURL, 2)
		if err != nil {
			return err
		}
		defer db.Close()
		result, err := setup.Apply(c.Context(), db, file, time.Now(), newID, *dryRun)
		if err != nil {
			return err
		}
		if *asJSON {
			return printJSON(c, result)
		}
		fmt.Fprint(c.OutOrStdout(), result)
		return nil
	}
	return c
}
