package main

import (
	"fmt"
	"log/slog"
	"time"

	"github.com/jmoiron/sqlx"
	"github.com/spf13/cobra"

	"konbit/internal/app"
	"konbit/internal/platform/email"
)

func donorCommand() *cobra.Command {
	return group("donor", "Donors", donorSignOutCommand(), donorMoveCommand())
}

// donorSignOutCommand is for a lost phone, or a mailbox that other people have read.
func donorSignOutCommand() *cobra.Command {
	return &cobra.Command{
		Use: "sign-out EMAIL", Short: "Sign a donor out on all devices, and end the links of emails to their recurring gifts", Args: cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			return withDatabase(c.Context(), func(db *sqlx.DB) error {
				ended, err := app.SignOut(c.Context(), db, email.Normalize(args[0]))
				if err == nil {
					fmt.Fprintf(c.OutOrStdout(), "sessions ended: %d\n", ended)
				}
				return err
			})
		},
	}
}

// donorMoveCommand is for a donor who has lost a mailbox: they prove the new address by the link of an email.
func donorMoveCommand() *cobra.Command {
	return &cobra.Command{
		Use: "move LOST-EMAIL NEW-EMAIL", Short: "Let a donor who lost a mailbox move their gifts and emails to a new address", Args: cobra.ExactArgs(2),
		Long: "Make sure first that it is the donor: call the number they gave, or ask for a receipt's number. Both addresses are told when it is done.",
		RunE: func(c *cobra.Command, args []string) error {
			return withOffice(c.Context(), needDatabase, []need{needSecret, needBase, needSMTP}, func(o office) error {
				request, err := app.NewMoveRequest(o.config.Settings, o.Office, o.db, o.clocks, slog.Default())
				if err != nil {
					return err
				}
				defer request.Transport.Close()
				until, err := request.Send(c.Context(), args[0], args[1])
				if err == nil {
					fmt.Fprintf(c.OutOrStdout(), "an email with a link was sent to %s; nothing changes until it is used, before %s\n",
						args[1], until.Format(time.DateOnly))
				}
				return err
			})
		},
	}
}
