package main

import (
	"fmt"
	"net/url"

	"github.com/spf13/cobra"

	"konbit/migrations"
)

func migrateCommand() *cobra.Command {
	return &cobra.Command{Use: "migrate", Short: "Bring the database to this program's schema and renew the server's rights", Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
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
			fmt.Fprintf(c.OutOrStdout(), "The schema is at version %d; %s has its rights and owns nothing.\n", version, role)
			return nil
		}}
}

// roleOf is the role a database URL logs in as.
func roleOf(databaseURL string) (string, error) {
	u, err := url.Parse(databaseURL)
	if err != nil || u.User.Username() == "" {
		return "", fmt.Errorf("DATABASE_URL names no role: want postgres://ROLE:password@host/database")
	}
	return u.User.Username(), nil
}
