package main

import (
	"fmt"
	"net/url"

	"github.com/spf13/cobra"

	"konbit/internal/app"
	"konbit/migrations"
)

func migrateCommand() *cobra.Command {
	c := &cobra.Command{Use: "migrate", Short: "Migrate the database to this program's schema and set the rights of the server's role", Args: cobra.NoArgs}
	asJSON := c.Flags().Bool("json", false, "print JSON")
	c.RunE = func(c *cobra.Command, _ []string) error {
		config, err := loadConfig(needDatabase, needOwner)
		if err != nil {
			return err
		}
		role, err := roleOf(config.DatabaseURL)
		if err != nil {
			return err
		}
		changed, err := app.Migrate(c.Context(), config.Settings, config.DatabaseOwnerURL, role)
		if err != nil {
			return err
		}
		version, err := migrations.Latest()
		if err != nil {
			return err
		}
		if *asJSON {
			return printJSON(c, migrated{version, role})
		}
		fmt.Fprintf(c.OutOrStdout(), "The schema is at version %d; the role %s has its rights and owns no table.\n%s", version, role, changed)
		return nil
	}
	return c
}

// migrated is the output of `konbit migrate --json`.
type migrated struct {
	Version int64  `json:"version"`
	Role    string `json:"role"` // the server's role, whose rights were set
}

// roleOf returns the role in a database URL. It reports an error if there is none.
func roleOf(databaseURL string) (string, error) {
	u, err := url.Parse(databaseURL)
	if err != nil || u.User.Username() == "" {
		return "", fmt.Errorf("DATABASE_URL names no role: want postgres://ROLE:password@host/database")
	}
	return u.User.Username(), nil
}
