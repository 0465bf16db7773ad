package main

import (
	"context"
	"fmt"

	"github.com/jmoiron/sqlx"
	"github.com/spf13/cobra"

	"konbit/internal/giving/donor"
	"konbit/internal/mail"
	"konbit/internal/people/donoraccess"
	"konbit/internal/platform/email"
)

func donorCommand() *cobra.Command {
	return group("donor", "Donors", donorSignOutCommand())
}

// donorSignOutCommand is for a lost phone, or a mailbox that other people have read.
func donorSignOutCommand() *cobra.Command {
	return &cobra.Command{
		Use: "sign-out EMAIL", Short: "Sign a donor out on all devices, and end the links of emails to their recurring gifts", Args: cobra.ExactArgs(1),
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

// signOut ends all sessions of the person who owns an email address, and the links of emails to the person's plans. It
// returns the number of sessions. It reports an error if no person owns the address, which may be misspelled.
func signOut(ctx context.Context, db *sqlx.DB, address string) (ended int64, err error) {
	access := donoraccess.Service{DB: db, EndLinksTx: mail.EndLinksOfTx}
	if ended, err = access.EndSessionsOfEmail(ctx, address); ended > 0 || err != nil {
		return ended, err
	}
	proved, err := access.IsProven(ctx, address)
	if proved || err != nil {
		return 0, err
	}
	donors, err := donor.ByEmails(ctx, db, []string{address})
	if len(donors) == 0 && err == nil {
		err = fmt.Errorf("no donor has the address %q: konbit receipt find TEXT looks for one", address)
	}
	return 0, err
}
