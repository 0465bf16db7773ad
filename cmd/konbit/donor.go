package main

import (
	"context"
	"fmt"

	"github.com/jmoiron/sqlx"
	"github.com/spf13/cobra"

	"konbit/internal/giving/donor"
	"konbit/internal/people/donoraccess"
	"konbit/internal/platform/email"
)

func donorCommand() *cobra.Command {
	return group("donor", "People who give", donorSignOutCommand())
}

// donorSignOutCommand ends what somebody else may have opened: a lost phone, a mailbox that was read by others.
func donorSignOutCommand() *cobra.Command {
	return &cobra.Command{
		Use: "sign-out EMAIL", Short: "Sign a donor out on all devices", Args: cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			return withDatabase(c.Context(), func(db *sqlx.DB) error {
				ended, err := signOut(c.Context(), db, email.Normalize(args[0]))
				if err == nil {
					fmt.Fprintf(c.OutOrStdout(), "sessions ended: %d\n", ended)
				}
				return err
			})
		},
	}
}

// signOut ends the sessions of whoever has an address. It fails when nobody has: the address may be misspelled, and the
// sessions meant go on.
func signOut(ctx context.Context, db *sqlx.DB, email string) (ended int64, err error) {
	keeper := donoraccess.Service{DB: db}
	if ended, err = keeper.EndSessionsOfEmail(ctx, email); ended > 0 || err != nil {
		return ended, err
	}
	proved, err := keeper.IsProven(ctx, email)
	if proved || err != nil {
		return 0, err
	}
	donors, err := donor.ByEmails(ctx, db, []string{email})
	if len(donors) == 0 && err == nil {
		err = fmt.Errorf("nobody has the address %q: konbit receipt find TEXT looks for one", email)
	}
	return 0, err
}
