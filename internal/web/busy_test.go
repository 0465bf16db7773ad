package web_test

import (
	"bytes"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"konbit/internal/workshop/stripefake"
	"konbit/internal/workshop/testkit/program"
	"konbit/internal/workshop/testkit/visitor"
)

// answered is far above pg.RequestTimeout, so that a slow machine reaches it too. Without that limit there is no answer
// at all: the locks are held until it comes.
const answered = 20 * time.Second

// TestBusyDatabaseGets503Soon: while the database does not answer, a form gets 503 soon, in the donor's language and
// with what was typed. Afterwards the same form starts its gift.
func TestBusyDatabaseGets503Soon(t *testing.T) {
	t.Parallel()
	h := program.New(t, program.Options{})
	paid := h.StartedGift(program.ValidForm())
	h.Pay(paid)
	event := h.EventsOf(paid)[0]
	form := visitor.FilledForm()
	form.Set("email", "busy@donor.example")
	for _, taken := range []string{"donation, stripe_event", "donor, stripe_event", "donation_contact, stripe_event"} {
		tx := h.DB.Owner.MustBegin()
		tx.MustExec(`LOCK TABLE ` + taken)
		began := time.Now()
		page := visitor.Ask(t, "POST", h.URL+"/give/csio?lang=es", form)
		assert.Less(t, time.Since(began), answered, taken)
		assert.Equal(t, http.StatusServiceUnavailable, page.StatusCode, taken)
		assert.NotEmpty(t, page.Header.Get("Retry-After"), taken)
		assert.Contains(t, page.Page, `lang="es"`, taken)
		assert.Contains(t, page.Page, "busy@donor.example", taken)

		began = time.Now()
		webhook := deliver(h, event)
		assert.Less(t, time.Since(began), answered, taken)
		assert.Equal(t, http.StatusServiceUnavailable, webhook.Code, taken)
		assert.NotEmpty(t, webhook.Header().Get("Retry-After"), taken)
		require.NoError(t, tx.Rollback())
	}
	assert.Equal(t, http.StatusSeeOther, visitor.Ask(t, "POST", h.URL+"/give/csio?lang=es", form).StatusCode)
	assert.Equal(t, http.StatusOK, deliver(h, event).Code)
	assert.Equal(t, 1, h.Count(`SELECT count(*) FROM donation d JOIN donor o ON o.id = d.donor_id WHERE o.email = 'busy@donor.example'`))
}

// deliver posts an event with a valid signature.
func deliver(h *program.Program, e program.Event) *httptest.ResponseRecorder {
	request := httptest.NewRequest("POST", "/hooks/stripe/tsne", bytes.NewReader(e.Body))
	request.Header.Set("Stripe-Signature", stripefake.Sign(time.Now(), e.Body, program.WebhookSecrets["tsne"]...))
	response := httptest.NewRecorder()
	h.Server.Handler().ServeHTTP(response, request)
	return response
}
