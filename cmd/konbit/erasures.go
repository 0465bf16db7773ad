package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"text/tabwriter"

	"github.com/jmoiron/sqlx"
	"github.com/spf13/cobra"

	"konbit/internal/app/acts"
	"konbit/internal/giving/donor"
	"konbit/internal/office/privacy"
	"konbit/internal/people/donoraccess"
	"konbit/internal/platform/email"
)

func erasuresCommand() *cobra.Command {
	return group("erasures", "Erasure of people who asked for it", erasuresListCommand(), erasuresAddCommand(),
		erasuresExportCommand(), erasuresApplyCommand(), erasuresPrepareCommand(), erasuresOpenCommand())
}

func erasuresListCommand() *cobra.Command {
	c := &cobra.Command{Use: "list", Short: "Requests for erasure by number (names are erased), and their state", Args: cobra.NoArgs}
	asJSON := c.Flags().Bool("json", false, "print JSON")
	c.RunE = func(c *cobra.Command, _ []string) error {
		return withDatabase(c.Context(), func(db *sqlx.DB) error {
			all, err := privacy.List(c.Context(), db)
			if err != nil {
				return err
			}
			if *asJSON {
				return printJSON(c, all)
			}
			w := tabwriter.NewWriter(c.OutOrStdout(), 0, 0, 2, ' ', 0)
			fmt.Fprintln(w, "ASKED\tBY\tERASURE\tSTATE")
			for _, e := range all {
				state := "due " + e.DueAt.UTC().Format("2006-01-02 UTC")
				if e.WithdrawnAt != nil {
					state = "withdrawn"
				} else if e.DoneAt != nil {
					state = "done " + e.DoneAt.UTC().Format("2006-01-02 UTC")
				}
				fmt.Fprintf(w, "%s\t%s\t%s\t%s\n", e.RequestedAt.UTC().Format("2006-01-02 UTC"), e.RequestedBy, e.ID, state)
			}
			return w.Flush()
		})
	}
	return c
}

func erasuresAddCommand() *cobra.Command {
	c := &cobra.Command{
		Use: "add ADDRESS…", Short: "Erase the person with these email addresses, who asked the office", Args: cobra.MinimumNArgs(1),
		Long: "Give the addresses of the person. Addresses that the person linked are found without being named. The emails before and after the\n" +
			"erasure go to the first address. The erasure happens in three days, or at once with --now, which needs DATABASE_OWNER_URL. Stop an\n" +
			"active recurring gift first. Donations, amounts, dates and receipt numbers stay. At Stripe the customer of recurring gifts is\n" +
			"deleted; payments stay there with the data typed on Stripe's pages: search for the address in Stripe's dashboard and redact them first.",
	}
	now := c.Flags().Bool("now", false, "erase at once")
	c.RunE = func(c *cobra.Command, args []string) error {
		database := needDatabase
		if *now {
			database = needOwner // the server's role waits
		}
		return withOffice(c.Context(), database, []need{needSecret}, func(o office) error {
			w := privacy.ErasureRequest{Recipient: email.Normalize(args[0]), RequestedBy: acts.Operator(), Delay: privacy.DefaultDelay, Language: "en"}
			for _, address := range args {
				w.Addresses = append(w.Addresses, email.Normalize(address))
			}
			var err error
			if w.Addresses, err = donoraccess.LinkedAddresses(c.Context(), o.db, w.Addresses); err != nil {
				return err
			}
			donors, err := donor.ByEmails(c.Context(), o.db, w.Addresses)
			if err != nil {
				return err
			}
			if len(donors) == 0 {
				return fmt.Errorf("%w: no donor has one of these addresses", errUse)
			}
			for _, d := range donors {
				w.Donors, w.Language = append(w.Donors, d.ID), d.Language
			}
			if *now {
				w.Delay = 0
			}
			return addErasure(c, o.Privacy, w, *now, o.config.ErasuresFile)
		})
	}
	return c
}

func addErasure(c *cobra.Command, k privacy.Eraser, w privacy.ErasureRequest, now bool, file string) error {
	e, err := k.Request(c.Context(), w)
	if err == nil && now {
		err = eraseNow(c.Context(), k, e)
	}
	if err != nil {
		return erasureError(err)
	}
	switch {
	case !now:
		fmt.Fprintf(c.OutOrStdout(), "%s is due on %s.\n", e.ID, e.DueAt.UTC().Format("2006-01-02 UTC"))
	case file == "":
		fmt.Fprintf(c.OutOrStdout(), "%s is done. Store the list with the backups: set ERASURES_FILE, or konbit erasures export\n", e.ID)
	default:
		_, err = k.SyncFile(c.Context(), file)
		fmt.Fprintf(c.OutOrStdout(), "%s is done.\n", e.ID)
	}
	return err
}

// erasureError explains why a person cannot be erased yet.
func erasureError(err error) error {
	switch {
	case privacy.IsActivePlan(err):
		return errors.New("a recurring gift is active: stop it first, by the link in its emails or on the donor's pages")
	case privacy.IsPendingGift(err):
		return errors.New("a donation is pending or under review: try again when it is settled")
	}
	return err
}

// eraseNow erases as the owner of the tables, after filling the stock of keys.
func eraseNow(ctx context.Context, k privacy.Eraser, e privacy.Erasure) error {
	if _, err := k.Prepare(ctx, privacy.PadStock); err != nil {
		return err
	}
	return k.Erase(ctx, e.ID)
}

func erasuresPrepareCommand() *cobra.Command {
	return &cobra.Command{
		Use: "prepare", Short: "Make one-time keys, with which the database keeps the receipts of erased donors", Args: cobra.NoArgs,
		Long: "Fills the stock of keys. It needs both DATABASE_OWNER_URL and SECRET_KEY. konbit migrate does the same if SECRET_KEY is set.\n" +
			"konbit doctor says when few are left; without a key no donor with a receipt is erased.",
		RunE: func(c *cobra.Command, _ []string) error {
			return withOffice(c.Context(), needOwner, []need{needSecret}, func(o office) error {
				n, err := o.Privacy.Prepare(c.Context(), privacy.PadStock)
				fmt.Fprintf(c.OutOrStdout(), "%d keys made; %d are left.\n", n, privacy.PadStock)
				return err
			})
		}}
}

func erasuresExportCommand() *cobra.Command {
	return &cobra.Command{Use: "export", Short: "Print the list of completed erasures, to store with the backups; it contains no names", Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			return withDatabase(c.Context(), func(db *sqlx.DB) error {
				done, err := privacy.ListDone(c.Context(), db)
				if err != nil {
					return err
				}
				return privacy.WriteList(c.OutOrStdout(), done)
			})
		}}
}

func erasuresApplyCommand() *cobra.Command {
	return &cobra.Command{Use: "apply FILE", Short: "Repeat the erasures of a list, after a backup was restored (as the owner)", Args: cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			file, err := os.Open(args[0])
			if err != nil {
				return err
			}
			defer file.Close()
			list, err := privacy.ReadList(file)
			if err != nil {
				return fmt.Errorf("%s: %w", args[0], err)
			}
			return withOffice(c.Context(), needOwner, []need{needSecret}, func(o office) error {
				if _, err := o.Privacy.Prepare(c.Context(), privacy.PadStock); err != nil {
					return err
				}
				a, err := o.Privacy.Apply(c.Context(), list)
				fmt.Fprintf(c.OutOrStdout(), "%d erasures applied.\n", a.Erased)
				if a.Pending > 0 {
					fmt.Fprintf(c.OutOrStdout(), "%d wait until a recurring gift or a pending donation ends; the workers then erase them.\n", a.Pending)
				}
				return err
			})
		}}
}

func erasuresOpenCommand() *cobra.Command {
	c := &cobra.Command{
		Use: "open NUMBER --why REASON", Short: "Show the data on the receipt of an erased donor, for a person with a right to it", Args: cobra.ExactArgs(1),
		Long: "Opens the sealed copy of a receipt, which the law requires. It needs both DATABASE_OWNER_URL and SECRET_KEY, and records who\n" +
			"read it and why.",
	}
	why := c.Flags().String("why", "", "who asks for it and by which right")
	c.RunE = func(c *cobra.Command, args []string) error {
		if *why == "" {
			return fmt.Errorf("%w: --why: give who asks for it and by which right", errUse)
		}
		return withOffice(c.Context(), needOwner, []need{needSecret}, func(o office) error {
			facts, err := o.Privacy.OpenSealedReceipt(c.Context(), args[0], acts.Operator(), *why)
			if err != nil {
				return err
			}
			return printJSON(c, facts)
		})
	}
	return c
}
