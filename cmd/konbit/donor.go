package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"konbit/internal/access"
	"konbit/internal/pg"
)

func donorCommand() *cobra.Command {
	return group("donor", "People who give", donorSignOutCommand())
}

// donorSignOutCommand ends what somebody else may have opened: a lost phone, a mailbox that was read by others.
func donorSignOutCommand() *cobra.Command {
	return &cobra.Command{
		Use: "sign-out EMAIL", Short: "Sign a donor out on all devices", Args: cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			config, err := loadConfig(needDatabase)
			if err != nil {
				return err
			}
			db, err := pg.Open(c.Context(), config.DatabaseURL, 2)
			if err != nil {
				return err
			}
			defer db.Close()
			ended, err := access.Keeper{DB: db}.EndAllOf(c.Context(), access.Normal(args[0]))
			if err != nil {
				return err
			}
			fmt.Fprintf(c.OutOrStdout(), "sessions ended: %d\n", ended)
			return nil
		},
	}
}
