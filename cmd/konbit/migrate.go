package main

import (
	"fmt"
	"net/url"

	"github.com/spf13/cobra"

	"konbit/migrations"
)

func migrateCommand() *cobra.Command {
	c := &cobra.Command{Use: "migrate", Short: "Bring the database to this program's schema and renew the server's rights", Args: cobra.NoArgs}
	asJSON := c.Flags().Bool("json", false, "answer in JSON")
	c.RunE = func(c *cobra.Command, _ []string) error {
		config, err := loadConfig(needDatabase, needOwner)
		if err != nil {
			return err
		}
		role, err := roleOf(config.DatabaseURL)
		if err != nil {
			return err
		}
		if err := migrations.Up(c.Context(), config.DatabaseOwnerURL, role); err != nil {
			return err
		}
		version, err := migrations.Latest()
		if err != nil {
			return err
		}
		if *asJSON {
			return printJSON(c, migrated{version, role})
		}
		fmt.Fprintf(c.OutOrStdout(), "The schema is at version %d; %s has its rights and owns nothing.\n", version, role)
		return nil
	}
	return c
}

// migrated is what `konbit migrate --json` answers.
type migrated struct {
	Version int64  `json:"version"`
	Role    string `json:"role"` // the server's, whose rights were renewed
}

// roleOf is the role a database URL logs in as.
func roleOf(databaseURL string) (string, error) {
	u, err := url.Parse(databaseURL)
	if err != nil || u.User.Username() == "" {
		return "", fmt.Errorf("DATABASE_URL names no role: want postgres://ROLE:password@host/database")
	}
	return u.User.Username(), nil
}
