package main

import (
	"fmt"
	"strings"

	"github.com/jmoiron/sqlx"
	"github.com/spf13/cobra"

	"konbit/internal/office/rotation"
	"konbit/internal/platform/pg"
)

func keysCommand() *cobra.Command {
	lost := false
	list := keysSubcommand(needDatabase, func(c *cobra.Command, db *sqlx.DB, config Config) (any, string, error) {
		s, err := rotation.Read(c.Context(), db, config.Keys())
		return s, strings.Join(s.Lines(), "\n"), err
	})
	list.Use, list.Short = "list", "Show the fingerprints of the keys, and what still needs an old key; never a key"
	rotate := keysSubcommand(needOwner, func(c *cobra.Command, db *sqlx.DB, config Config) (any, string, error) {
		r, err := rotation.Rotate(c.Context(), db, config.Keys(), lost)
		text := fmt.Sprintf("%d values sealed with SECRET_KEY.\n", r.Sealed)
		if r.Unopened > 0 {
			text += fmt.Sprintf("%d cannot be opened with any key of the settings, and stay as they are: konbit keys list\n", r.Unopened)
		}
		return r, text + "The installation's key is now " + r.Fingerprint + ". A server that has not this key does not start any more.", err
	})
	rotate.Use, rotate.Short = "rotate", "Make SECRET_KEY the installation's key, and seal with it what another key sealed (as the owner)"
	rotate.Long = "Run it when all servers have the new key in SECRET_KEY and the one before in SECRET_KEY_OLD: running/keys.md."
	rotate.Flags().BoolVar(&lost, "old-key-lost", false, "go on without the recorded key: receipts that were kept with it stay unreadable, its links end")
	return group("keys", "Show which secret keys are in use, and replace SECRET_KEY", list, rotate)
}

// keysSubcommand returns a command that needs SECRET_KEY and the setting of a database. do returns its output.
func keysSubcommand(database need, do func(c *cobra.Command, db *sqlx.DB, config Config) (result any, text string, err error)) *cobra.Command {
	c := &cobra.Command{Args: cobra.NoArgs}
	asJSON := c.Flags().Bool("json", false, "print JSON")
	c.RunE = func(c *cobra.Command, _ []string) error {
		config, err := loadConfig(database, needSecret)
		if err != nil {
			return err
		}
		db, err := pg.Open(c.Context(), config.database(database), 2)
		if err != nil {
			return err
		}
		defer db.Close()
		result, text, err := do(c, db, config)
		if err != nil {
			return err
		}
		if *asJSON {
			return printJSON(c, result)
		}
		fmt.Fprintln(c.OutOrStdout(), text)
		return nil
	}
	return c
}
