package stripefake

import (
	"fmt"
	"net/http"
	"strings"
)

// apiError is an error in Stripe's shape (docs.stripe.com/api/errors).
type apiError struct {
	status      int
	kind        string // Stripe's "type"
	code        string
	declineCode string
	param       string
	message     string
	charge      string
	intent      object
}

func (e *apiError) Error() string { return e.message }

// storable reports whether the idempotency store saves this answer. It does not if the request was refused before
// it began.
func (e *apiError) storable() bool {
	return !strings.HasPrefix(e.code, "parameter_") && e.status != http.StatusTooManyRequests && e.status != http.StatusServiceUnavailable
}

// body returns the error as Stripe's JSON. Absent fields are left out.
func (e *apiError) body(requestID string) object {
	o := object{"type": e.kind, "message": e.message, "request_log_url": "https://dashboard.stripe.com/test/logs/" + requestID}
	for key, value := range map[string]string{"code": e.code, "decline_code": e.declineCode, "param": e.param, "charge": e.charge} {
		if value != "" {
			o[key] = value
		}
	}
	if e.code != "" {
		o["doc_url"] = "https://stripe.com/docs/error-codes/" + strings.ReplaceAll(e.code, "_", "-")
	}
	if e.intent != nil {
		o["payment_intent"] = e.intent
	}
	return object{"error": o}
}

func invalid(code, param, message string) *apiError {
	return &apiError{status: http.StatusBadRequest, kind: "invalid_request_error", code: code, param: param, message: message}
}

func missing(param string) *apiError {
	return invalid("parameter_missing", param, "Missing required param: "+param+".")
}

func noSuch(kind, id, param string) *apiError {
	e := invalid("resource_missing", param, fmt.Sprintf("No such %s: '%s'", kind, id))
	if param == "id" || param == "" {
		e.status = http.StatusNotFound
	}
	return e
}

func unauthorized(message string) *apiError {
	return &apiError{status: http.StatusUnauthorized, kind: "invalid_request_error", message: message}
}

func unavailable(status int) *apiError {
	if status == http.StatusTooManyRequests {
		return &apiError{status: status, kind: "invalid_request_error", code: "rate_limit",
			message: "Request rate limit exceeded. Learn more about rate limits here https://stripe.com/docs/rate-limits."}
	}
	return &apiError{status: status, kind: "api_error",
		message: "Sorry! There was an error while talking to Stripe. Please let us know at support@stripe.com if this problem persists."}
}
