package staffcmd

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/google/uuid"
	"github.com/spf13/cobra"

	"konbit/internal/app"
	"konbit/internal/office/refund"
	"konbit/internal/people/approval"
	"konbit/internal/people/audit"
	"konbit/internal/people/staff"
)

func (p Program) approve() *cobra.Command {
	c := &cobra.Command{
		Use: "approve REQUEST --reason TEXT", Short: "Approve a change of roles in place of a second admin", Args: cobra.ExactArgs(1),
		Long: "It approves the request and makes the change. Only requests about roles: money needs two people of the staff. The auditors read it\n" +
			"in their daily email. Needs DATABASE_OWNER_URL.",
	}
	reason := reasonFlag(c)
	c.RunE = func(c *cobra.Command, args []string) error {
		request, err := uuid.Parse(args[0])
		if err != nil || strings.TrimSpace(*reason) == "" {
			return fmt.Errorf("%w: REQUEST is an id, and --reason says why", p.ErrUse)
		}
		return p.withStaff(c, true, func(o Office, s staff.Service) error {
			token, err := s.ApproveAsOperator(c.Context(), request, reasonOf(*reason))
			switch approval.Refused(err) {
			case "operator_approves_roles":
				return errors.New("there is no such request about roles")
			case "approval_is_open":
				return errors.New("this request is not open any more")
			}
			if err != nil {
				return p.explain(err)
			}
			fmt.Fprintln(c.OutOrStdout(), "the role is changed")
			if token != "" {
				printLink(c, o, token, "en", "24 hours")
			}
			return nil
		})
	}
	return c
}

// verifiedStaff is the output of konbit staff verify --json.
type verifiedStaff struct {
	Audit     audit.Report        `json:"audit"`
	Passkeys  staff.PasskeyReport `json:"passkeys"`
	Approvals approval.Report     `json:"approvals"`
	Refunds   refund.VerifyReport `json:"refunds"`
}

// findings returns all that is wrong.
func (v verifiedStaff) findings() []string {
	return slices.Concat(v.Audit.Findings, v.Passkeys.Findings, v.Approvals.Findings, v.Refunds.Findings)
}

func (p Program) verify() *cobra.Command {
	c := &cobra.Command{
		Use: "verify [--head N:HASH]", Short: "Compute the audit log's chain, passkeys, approvals and refunds again from the stored rows", Args: cobra.NoArgs,
		Long: "--head is from an email to the auditors. An approval or a refund by a code, and a passkey that rests on a code or on an\n" +
			"emailed link, prove nothing against who holds the database: these are counted apart.",
	}
	heads := c.Flags().StringArray("head", nil, "a head of the audit log as the auditors have it, N:HASH; may be repeated")
	asJSON := c.Flags().Bool("json", false, "print JSON")
	c.RunE = func(c *cobra.Command, _ []string) error {
		known := make([]audit.Head, len(*heads))
		for i, text := range *heads {
			head, err := audit.ParseHead(text)
			if err != nil {
				return fmt.Errorf("%w: %w", p.ErrUse, err)
			}
			known[i] = head
		}
		return p.Open(c.Context(), false, true, func(o Office) (err error) {
			var v verifiedStaff
			if v.Audit, err = audit.Verify(c.Context(), o.DB, known...); err != nil {
				return err
			}
			people := app.NewStaff(o.Settings, o.Office, o.DB)
			if v.Approvals, err = approval.Verify(c.Context(), o.DB, people.VerifyAnswer); err != nil {
				return err
			}
			if v.Passkeys, err = people.VerifyPasskeys(c.Context(), o.DB); err != nil {
				return err
			}
			if v.Refunds, err = refund.Verify(c.Context(), o.DB, people.VerifySigned); err != nil {
				return err
			}
			if *asJSON {
				err = p.PrintJSON(c, v)
			} else {
				a, k, n := v.Approvals, v.Passkeys, v.Refunds
				fmt.Fprintf(c.OutOrStdout(), "audit log: %d entries, head %s\n", v.Audit.Entries, v.Audit.Head)
				fmt.Fprintf(c.OutOrStdout(), "requests: %d, executed: %d; approvals by passkey: %d, by code: %d, by an operator: %d\n",
					a.Requests, a.Executed, a.ByPasskey, a.ByCode, a.ByOperator)
				fmt.Fprintf(c.OutOrStdout(), "passkeys: %d; by an operator's link: %d, by an older passkey: %d, by an emailed link: %d, by a code: %d\n",
					k.Passkeys, k.ByOperator, k.ByPasskey, k.ByEmail, k.ByCode)
				fmt.Fprintf(c.OutOrStdout(), "refunds: %d; by a request: %d, by passkey: %d, by code: %d\n", n.Orders, n.ByRequest, n.ByPasskey, n.ByCode)
				for _, finding := range v.findings() {
					fmt.Fprintln(c.OutOrStdout(), finding)
				}
			}
			if err == nil && len(v.findings()) > 0 {
				err = errors.New("the audit log, passkeys, approvals or refunds are not what people did")
			}
			return err
		})
	}
	return c
}
