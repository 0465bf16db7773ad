package securitylog

import "log/slog"

// Event is what happened. Its name is a value in the log and a label of a metric.
type Event string

// The events; Events says what each means.
const (
	SignInRequested  Event = "sign_in_requested"
	SignedIn         Event = "signed_in"
	SignInLinkWrong  Event = "sign_in_link_wrong"
	CodeWrong        Event = "code_wrong"
	SignedOut        Event = "signed_out"
	SessionsEnded    Event = "sessions_ended"
	SessionMissing   Event = "session_missing"
	SessionUnknown   Event = "session_unknown"
	AddressLinked    Event = "address_linked"
	AddressUnlinked  Event = "address_unlinked"
	AddressChosen    Event = "address_chosen"
	AddressMoved     Event = "address_moved"
	LinkOpened       Event = "link_opened"
	LinkRequested    Event = "link_requested"
	LinkRefused      Event = "link_refused"
	ObjectRefused    Event = "object_refused"
	AccessRefused    Event = "access_refused"
	WebhookRefused   Event = "webhook_refused"
	OriginRefused    Event = "origin_refused"
	FormTokenWrong   Event = "form_token_wrong"
	FormInvalid      Event = "form_invalid"
	FormMalformed    Event = "form_malformed"
	FormTooLarge     Event = "form_too_large"
	MethodRefused    Event = "method_refused"
	LimitReached     Event = "limit_reached"
	ChallengeShown   Event = "challenge_shown"
	ChallengeFailed  Event = "challenge_failed"
	EventModeOpened  Event = "event_mode_opened"
	EventPassWrong   Event = "event_pass_wrong"
	DataCopied       Event = "data_copied"
	ErasureRequested Event = "erasure_requested"
	ErasureWithdrawn Event = "erasure_withdrawn"
	StaffSignedIn    Event = "staff_signed_in"
	StaffSignInWrong Event = "staff_sign_in_wrong"
	StaffLinkUsed    Event = "staff_link_used"
	StaffLinkWrong   Event = "staff_link_wrong"
	FactorUsed       Event = "factor_used"
	FactorWrong      Event = "factor_wrong"
	FactorChanged    Event = "factor_changed"
	PasskeyCopied    Event = "passkey_copied"
	RoleRefused      Event = "role_refused"
	CommandDone      Event = "command_done"
	CommandFailed    Event = "command_failed"
)

// Description is a row of the table of events.
type Description struct {
	Event Event
	Level slog.Level
	What  string
}

// Events returns the table of events.
func Events() []Description {
	return []Description{
		{SignInRequested, slog.LevelInfo, "an email that proves an address was requested"},
		{SignedIn, slog.LevelInfo, "a session was opened"},
		{SignInLinkWrong, slog.LevelWarn, "the link of a sign-in email was wrong, used, expired, or of another browser"},
		{CodeWrong, slog.LevelWarn, "a code was wrong, used or expired"},
		{SignedOut, slog.LevelInfo, "a session was ended by its donor"},
		{SessionsEnded, slog.LevelInfo, "all sessions of a person were ended"},
		{SessionMissing, slog.LevelInfo, "a page needs a session, and the request has none"},
		{SessionUnknown, slog.LevelWarn, "a session's cookie is wrong, or its session has ended"},
		{AddressLinked, slog.LevelInfo, "an address was linked to a person"},
		{AddressUnlinked, slog.LevelInfo, "an address was unlinked from a person"},
		{AddressChosen, slog.LevelInfo, "a person chose where emails go"},
		{AddressMoved, slog.LevelWarn, "a new address took the place of a lost one, as an operator ordered"},
		{LinkOpened, slog.LevelInfo, "the link of an email to a recurring gift was opened"},
		{LinkRequested, slog.LevelInfo, "an email with a new link to a recurring gift was requested"},
		{LinkRefused, slog.LevelWarn, "a link of an email is not ours, or has ended"},
		{ObjectRefused, slog.LevelWarn, "a gift, plan or statement is not there, or belongs to another person"},
		{AccessRefused, slog.LevelWarn, "a request was refused that its way does not allow, such as a larger gift by a link"},
		{WebhookRefused, slog.LevelWarn, "a webhook's signature, age or mode was wrong, or its entity is unknown"},
		{OriginRefused, slog.LevelWarn, "another site posted a form here"},
		{FormTokenWrong, slog.LevelWarn, "a form had no token of its session, or a wrong one"},
		{FormInvalid, slog.LevelInfo, "a form was shown again, because a field was wrong"},
		{FormMalformed, slog.LevelWarn, "a request could not be read"},
		{FormTooLarge, slog.LevelWarn, "a request had too many bytes or fields"},
		{MethodRefused, slog.LevelWarn, "an address does not serve the method"},
		{LimitReached, slog.LevelWarn, "a limit was reached; the entry names it"},
		{ChallengeShown, slog.LevelInfo, "a form was answered with the challenge: for a gift, for an email to sign in, or with a code of a plan"},
		{ChallengeFailed, slog.LevelWarn, "the answer to a challenge was wrong, used or expired"},
		{EventModeOpened, slog.LevelInfo, "event mode was opened on a device"},
		{EventPassWrong, slog.LevelWarn, "the link to event mode was wrong, or has ended"},
		{DataCopied, slog.LevelInfo, "a copy of a person's data was sent"},
		{ErasureRequested, slog.LevelInfo, "a person asked for erasure"},
		{ErasureWithdrawn, slog.LevelInfo, "a person withdrew their request for erasure"},
		{StaffSignedIn, slog.LevelInfo, "a session of staff was opened"},
		{StaffSignInWrong, slog.LevelWarn, "an address or a password of staff was wrong"},
		{StaffLinkUsed, slog.LevelInfo, "the link of an invitation, a reset or an emergency access of staff was used"},
		{StaffLinkWrong, slog.LevelWarn, "such a link was wrong, used, ended or expired"},
		{FactorUsed, slog.LevelInfo, "staff used a passkey or a code for an act"},
		{FactorWrong, slog.LevelWarn, "a passkey's answer, a code or a recovery code of staff was wrong"},
		{FactorChanged, slog.LevelWarn, "staff added, replaced or removed a way to sign in"},
		{PasskeyCopied, slog.LevelError, "the signature counter of a passkey did not grow: somebody may have copied it"},
		{RoleRefused, slog.LevelWarn, "staff asked for a page or an act that their roles do not allow"},
		{CommandDone, slog.LevelInfo, "an operator ran a command that changes or shows something about people, access, keys, erasures or receipts"},
		{CommandFailed, slog.LevelWarn, "such a command failed; a part of it may be done"},
	}
}

func levelOf(e Event) slog.Level {
	for _, d := range Events() {
		if d.Event == e {
			return d.Level
		}
	}
	return slog.LevelError // not in the table
}

// OfStatus returns the event of a response that refuses a request with this HTTP status; empty if none does.
func OfStatus(status int) Event { return statuses[status] }

var statuses = map[int]Event{
	400: FormMalformed, 401: SessionMissing, 403: AccessRefused, 405: MethodRefused, 413: FormTooLarge, 422: FormInvalid, 429: LimitReached,
}
