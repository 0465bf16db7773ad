package privacy_test

import (
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"konbit/internal/office/privacy"
	"konbit/internal/workshop/stripefake"
	"konbit/internal/workshop/testkit"
	"konbit/internal/workshop/testkit/program"
)

// TestCustomerIsDeletedAtStripe: after an erasure, the customer of the person's ended recurring gifts is deleted at
// Stripe, as soon as Stripe answers. The customer of another person remains.
func TestCustomerIsDeletedAtStripe(t *testing.T) {
	t.Parallel()
	h := program.New(t, program.Options{})
	d := h.SettledGift(canaryForm())
	customer, other := createCustomer(t, h, canaries[0]), createCustomer(t, h, "other@example.org")
	h.SettledGift(canaryForm()) // two plans of one customer
	h.Exec(`INSERT INTO plan (id, entity_id, organisation_id, donor_id, public_ref, status, frequency, amount, covered, currency, language, created_at, begun_at, ended_at, customer_id)
		SELECT id, entity_id, organisation_id, donor_id, public_ref, 'cancelled', 'monthly', amount, 0, currency, language, now(), now(), now(), $2 FROM donation WHERE donor_id = $1`,
		d.DonorID, customer)
	e, err := h.Privacy.Request(t.Context(), erasureRequest(t, h))
	require.NoError(t, err)
	require.NoError(t, h.Fake.SetFaults(stripefake.Faults{Rate: 1, Kinds: []string{"503"}, Only: "DELETE /v1/customers", Times: 4}))
	require.Equal(t, 2, h.Count(`SELECT count(*) FROM plan`))
	require.ErrorIs(t, h.Privacy.Erase(t.Context(), e.ID), privacy.ErrWaits)
	h.AgeErasures()
	require.NoError(t, h.Privacy.Erase(t.Context(), e.ID))
	require.Equal(t, 1, h.Count(`SELECT count(*) FROM river_job WHERE kind = 'erasure_customer'`))
	h.StartWorkers()
	testkit.Eventually(t, 2*time.Minute, func() error { // four delays, randomised, are up to 23 s in all
		if getCustomer(t, h, customer)["deleted"] != true {
			return errors.New("the customer still exists at Stripe")
		}
		return nil
	})
	require.Greater(t, len(h.Fake.Calls("DELETE /v1/customers/"+customer)), 4, "the first calls failed")
	require.NotContains(t, string(mustJSON(t, getCustomer(t, h, customer))), canaries[0])
	require.Nil(t, getCustomer(t, h, other)["deleted"])
}

// createCustomer creates a customer at the stand-in for Stripe.
func createCustomer(t *testing.T, h *program.Program, email string) (id string) {
	t.Helper()
	return callStripe(t, h, "POST", "/v1/customers", url.Values{"email": {email}, "name": {"somebody"}})["id"].(string)
}

func getCustomer(t *testing.T, h *program.Program, customer string) map[string]any {
	t.Helper()
	return callStripe(t, h, "GET", "/v1/customers/"+customer, nil)
}

func callStripe(t *testing.T, h *program.Program, method, path string, form url.Values) (answer map[string]any) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, h.FakeURL+path, strings.NewReader(form.Encode()))
	require.NoError(t, err)
	r.SetBasicAuth(program.StripeKeys["tsne"], "")
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	got, err := http.DefaultClient.Do(r)
	require.NoError(t, err)
	defer got.Body.Close()
	require.NoError(t, json.NewDecoder(got.Body).Decode(&answer))
	return answer
}

func mustJSON(t *testing.T, v any) []byte {
	t.Helper()
	text, err := json.Marshal(v)
	require.NoError(t, err)
	return text
}

// TestCustomerOfAnotherDonorsPlanIsKept: a plan that moved to its right owner is charged to the customer of the person
// who is erased. The customer is kept, with a task.
func TestCustomerOfAnotherDonorsPlanIsKept(t *testing.T) {
	t.Parallel()
	h := program.New(t, program.Options{})
	d := h.SettledGift(canaryForm())
	form := program.ValidForm()
	form.Contact.Email = "other@example.org"
	other := h.SettledGift(form)
	customer := createCustomer(t, h, canaries[0])
	const plan = `INSERT INTO plan (id, entity_id, organisation_id, donor_id, public_ref, status, frequency, amount, covered, currency, language, created_at, begun_at, ended_at, customer_id)
		SELECT id, entity_id, organisation_id, donor_id, public_ref, $3, 'monthly', amount, 0, currency, language, now(), now(), CASE $3 WHEN 'cancelled' THEN now() END, $2 FROM donation WHERE id = $1`
	h.Exec(plan, d.ID, customer, "cancelled")
	h.Exec(plan, other.ID, customer, "active")
	e, err := h.Privacy.Request(t.Context(), erasureRequest(t, h))
	require.NoError(t, err)
	h.AgeErasures()
	require.NoError(t, h.Privacy.Erase(t.Context(), e.ID))
	h.StartWorkers()
	testkit.Eventually(t, time.Minute, func() error {
		if h.Count(`SELECT count(*) FROM finance_task WHERE kind = 'customer_of_erased_donor_kept'`) == 0 {
			return errors.New("no task is open")
		}
		return nil
	})
	require.Equal(t, []string{customer + " " + other.ID.String()}, h.Lines(`SELECT subject || ' ' || (detail->>'plan') FROM finance_task WHERE kind = 'customer_of_erased_donor_kept'`))
	require.Nil(t, getCustomer(t, h, customer)["deleted"])
}
