package main

import (
	"context"
	"errors"
	"fmt"
	"text/tabwriter"
	"time"

	"github.com/google/uuid"
	"github.com/jmoiron/sqlx"
	"github.com/spf13/cobra"

	"konbit/internal/app"
	"konbit/internal/app/acts"
	"konbit/internal/giving/donation"
	"konbit/internal/giving/receipt"
	"konbit/internal/mail"
	"konbit/internal/platform/email"
	"konbit/internal/platform/fault"
	"konbit/internal/platform/money"
	"konbit/internal/platform/pg"
)

func receiptCommand() *cobra.Command {
	return group("receipt", "Receipts and their emails", receiptFindCommand(), receiptResendCommand(), receiptCorrectCommand())
}

// found is a receipt in the output of `receipt find --json`.
type found struct {
	Number    string       `json:"number"`
	IssuedAt  time.Time    `json:"issued_at"`  // in Timezone
	ChargedOn string       `json:"charged_on"` // YYYY-MM-DD in Timezone, as on the receipt
	Timezone  string       `json:"timezone"`   // the legal entity's, as on the receipt
	Donor     string       `json:"donor"`
	Email     string       `json:"email"`   // on the receipt
	Address   string       `json:"address"` // where emails about it go now; empty: nowhere
	Amount    money.Amount `json:"amount"`
	Status    string       `json:"standing"` // stands, void or replaced
	Reason    string       `json:"reason,omitempty"`
	Replaces  string       `json:"replaces,omitempty"` // the number of the receipt that this one replaces
	Emails    []sent       `json:"letters"`
}

// sent is one sending of an email with a receipt.
type sent struct {
	Email string     `json:"letter"`
	To    string     `json:"to"`
	State mail.State `json:"state"`
	Reply string     `json:"reply,omitempty"`
	Tries int        `json:"tries"`
	By    string     `json:"ordered_by"`
	At    time.Time  `json:"ordered_at"`
}

// maxFound is how many receipts `receipt find` shows.
const maxFound = 200

func receiptFindCommand() *cobra.Command {
	c := &cobra.Command{Use: "find [TEXT]", Short: "Find receipts by number, name or address, with the state of their emails", Args: cobra.MaximumNArgs(1)}
	refused := c.Flags().Bool("refused", false, "only those with an email that was refused permanently")
	asJSON := c.Flags().Bool("json", false, "print JSON")
	c.RunE = func(c *cobra.Command, args []string) error {
		if len(args) == 0 && !*refused {
			return fmt.Errorf("%w: konbit receipt find needs a TEXT or --refused", errUse)
		}
		return withOffice(c.Context(), needDatabase, nil, func(o office) error {
			all, err := findReceipts(c.Context(), o, args, *refused)
			if err != nil {
				return err
			}
			if *asJSON {
				return printJSON(c, all)
			}
			return printReceipts(c, all)
		})
	}
	return c
}

func findReceipts(ctx context.Context, o office, args []string, refused bool) ([]found, error) {
	text, ids, err := "", []uuid.UUID(nil), error(nil)
	if len(args) > 0 {
		text = args[0]
	}
	if refused {
		ids, err = mail.RefusedSubjects(ctx, o.db)
	} else {
		ids, err = mail.SubjectsSentTo(ctx, o.db, text)
	}
	if err != nil {
		return nil, err
	}
	if refused {
		text = ""
	}
	receipts, err := receipt.Find(ctx, o.db, text, ids, maxFound)
	if err != nil {
		return nil, err
	}
	subjects := make([]uuid.UUID, len(receipts))
	for i, r := range receipts {
		subjects[i] = r.ID
	}
	deliveries, err := mail.Deliveries(ctx, o.db, subjects)
	all := make([]found, len(receipts))
	for i, r := range receipts {
		if err == nil {
			all[i] = asFound(r, deliveries[r.ID], o.clocks)
			all[i].Address, err = mail.AddressOf(ctx, o.db, r.DonationID)
		}
	}
	return all, err
}

func asFound(r receipt.Receipt, deliveries []mail.Delivery, clocks app.Clocks) found {
	f := found{
		Number: r.Reference(), IssuedAt: r.IssuedLocally(), ChargedOn: r.Facts.ChargedOn, Timezone: r.Facts.Timezone,
		Donor: r.Facts.DonorName(), Email: r.Facts.Email, Amount: r.Facts.Amount, Status: "stands", Emails: make([]sent, len(deliveries)),
	}
	if r.Voided != nil {
		f.Status, f.Reason = "void", string(r.Voided.Reason)
	}
	if r.ReplacedBy != nil {
		f.Status = "replaced"
	}
	if r.Facts.Replaces != nil {
		f.Replaces = r.Facts.Replaces.Number
	}
	for i, d := range deliveries {
		f.Emails[i] = sent{Email: d.EmailKind, To: d.Recipient, State: d.State(), Tries: d.Attempts, By: d.OrderedBy, At: clocks.Shown(d.OrderedAt)}
		if d.Reply != nil {
			f.Emails[i].Reply = *d.Reply
		}
	}
	return f
}

func printReceipts(c *cobra.Command, all []found) error {
	if len(all) == 0 {
		fmt.Fprintln(c.OutOrStdout(), "No receipt is found.")
	}
	w := tabwriter.NewWriter(c.OutOrStdout(), 0, 0, 2, ' ', 0)
	for _, f := range all {
		status := f.Status
		if f.Reason != "" {
			status += " (" + f.Reason + ")"
		}
		if f.Replaces != "" {
			status += ", for " + f.Replaces
		}
		issued := f.IssuedAt.Format(time.DateOnly)
		fmt.Fprintf(w, "%s\tissued %s\tcharged %s\t%s\t%s\t%s\t%s\t%s\t\n", f.Number, issued, f.ChargedOn, f.Timezone, f.Amount, status, f.Donor, f.Address)
		for _, l := range f.Emails {
			fmt.Fprintf(w, "\t%s\t%s\t%s\t%s\t\n", l.Email, l.State, l.To, l.Reply)
		}
		if len(f.Emails) == 0 {
			fmt.Fprintf(w, "\treceipt\twaiting\t%s\t\t\n", f.Address)
		}
	}
	if len(all) > 0 {
		fmt.Fprintln(w, "Days are those of the time zone named beside them.")
	}
	if len(all) == maxFound {
		fmt.Fprintf(w, "Only the newest %d are shown.\n", maxFound)
	}
	return w.Flush()
}

// changed is the output of `receipt resend --json` and `receipt correct --json`.
type changed struct {
	Number    string `json:"number"`             // of the receipt that is sent
	ChargedOn string `json:"charged_on"`         // YYYY-MM-DD, as on the receipt
	Replaces  string `json:"replaces,omitempty"` // the number of the receipt that it replaces
	To        string `json:"to,omitempty"`       // the new address

	From   string           `json:"from,omitempty"`   // the address before, if other recurring gifts still go there
	Others []mail.OtherPlan `json:"others,omitempty"` // these gifts
}

func receiptResendCommand() *cobra.Command {
	c := &cobra.Command{Use: "resend NUMBER", Short: "Send a receipt's email again, unchanged", Args: exactly("NUMBER")}
	asJSON := c.Flags().Bool("json", false, "print JSON")
	c.RunE = func(c *cobra.Command, args []string) error {
		return withReceipt(c.Context(), args[0], func(o office, resender mail.Resender, r receipt.Receipt) error {
			if err := resender.Resend(c.Context(), r, acts.Operator()); err != nil {
				return err
			}
			if *asJSON {
				return printJSON(c, changed{Number: r.Reference(), ChargedOn: r.Facts.ChargedOn})
			}
			fmt.Fprintf(c.OutOrStdout(), "%s, charged on %s, goes out again.\n", r.Reference(), r.Facts.ChargedOn)
			return nil
		})
	}
	return c
}

func receiptCorrectCommand() *cobra.Command {
	c := &cobra.Command{
		Use: "correct NUMBER", Args: exactly("NUMBER"), Short: "Send a receipt to another address, or replace it by one with the right name",
		Long: "With --email alone the receipt is sent, unchanged, to the other address. With a name, a new receipt with its own number\n" +
			"replaces it and says so; the old one stays on record and is void. With --email the gift, or the whole recurring gift,\n" +
			"belongs to the donor with that address from then on: its emails, its links, and who sees it after signing in.",
	}
	var correction receipt.Correction
	c.Flags().StringVar(&correction.Email, "email", "", "the donor's address")
	c.Flags().StringVar(&correction.FirstName, "first-name", "", "the donor's first name")
	c.Flags().StringVar(&correction.LastName, "last-name", "", "the donor's last name")
	asJSON := c.Flags().Bool("json", false, "print JSON")
	c.RunE = func(c *cobra.Command, args []string) error {
		if correction == (receipt.Correction{}) {
			return fmt.Errorf("%w: give the correct value by --email, --first-name or --last-name", errUse)
		}
		if correction.Email != "" {
			if err := email.CheckPlain(correction.Email); err != nil {
				return fmt.Errorf("%w: --email: %w", errUse, err)
			}
		}
		return withReceipt(c.Context(), args[0], func(o office, resender mail.Resender, r receipt.Receipt) error {
			done, err := correct(c.Context(), o, resender, r, correction)
			switch {
			case err != nil:
				return err
			case *asJSON:
				return printJSON(c, done)
			case done.Replaces != "":
				fmt.Fprintf(c.OutOrStdout(), "%s replaces %s.\n", done.Number, done.Replaces)
			default:
				fmt.Fprintf(c.OutOrStdout(), "%s goes to %s.\n", done.Number, done.To)
			}
			printOthers(c, done)
			return nil
		})
	}
	return c
}

// correct sends the receipt to another address, or replaces it by a receipt with another name. If the address changes, the
// gift moves to the donor with the new one.
func correct(ctx context.Context, o office, resender mail.Resender, r receipt.Receipt, correction receipt.Correction) (changed, error) {
	done := changed{Number: r.Reference(), ChargedOn: r.Facts.ChargedOn, To: correction.Email}
	before, err := donation.ByID(ctx, o.db, r.DonationID)
	if err != nil {
		return done, err
	}
	if correction.FirstName+correction.LastName == "" {
		if err := resender.Redirect(ctx, r, correction.Email, acts.Operator()); err != nil {
			return done, err
		}
		done.From, done.Others, err = resender.Others(ctx, before)
		return done, err
	}
	var issued receipt.Receipt
	err = pg.InTx(ctx, o.db, func(tx *sqlx.Tx) (err error) {
		if correction.Email != "" {
			if err := resender.CorrectAddressTx(ctx, tx, r, correction.Email, acts.Operator()); err != nil {
				return err
			}
		}
		issued, err = o.ReceiptIssuer.CorrectTx(ctx, tx, r.ID, correction, acts.Operator(), o.clocks.Business())
		return err
	})
	if errors.Is(err, receipt.ErrReceiptVoid) {
		return changed{}, fmt.Errorf("%s is not valid any more: konbit receipt find %[1]s", r.Reference())
	}
	if err != nil {
		return done, err
	}
	done.Number, done.ChargedOn, done.Replaces = issued.Reference(), issued.Facts.ChargedOn, r.Reference()
	done.From, done.Others, err = resender.Others(ctx, before)
	return done, err
}

// printOthers tells the operator which other recurring gifts the address before still has. Only a person can know whose
// they are.
func printOthers(c *cobra.Command, done changed) {
	if len(done.Others) == 0 {
		return
	}
	fmt.Fprintf(c.OutOrStdout(), "Other recurring gifts still go to %s:\n", done.From)
	for _, p := range done.Others {
		fmt.Fprintf(c.OutOrStdout(), "  %s %s since %s\n", p.Amount, p.Every, p.Since)
	}
	fmt.Fprintf(c.OutOrStdout(), "If they are the same person's, correct a receipt of each: konbit receipt find %s\n", done.From)
}

// withReceipt finds a receipt by its number and calls do with it and the service that sends emails again.
func withReceipt(ctx context.Context, number string, do func(office, mail.Resender, receipt.Receipt) error) error {
	return withOffice(ctx, needDatabase, nil, func(o office) error {
		r, err := receipt.ByNumber(ctx, o.db, number)
		if fault.Is(err, fault.NotFound) {
			return fmt.Errorf("there is no receipt %q: konbit receipt find TEXT looks for one", number)
		}
		if err != nil {
			return err
		}
		resender, err := app.NewResender(o.config.Settings, o.Office, o.db, o.clocks, o.config.logger())
		if err != nil {
			return err
		}
		return do(o, resender, r)
	})
}
