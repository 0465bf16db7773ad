// Package approval owns requests for acts that need a second person, and the approvals of others.
//
//	requested ──┬── executed   once, by the act's own table (trigger requires_approval)
//	            ├── declined   by one person
//	            ├── withdrawn  by the requester, or replaced by an edited version, which has no approvals
//	            └── expired    Lifetime after the request
//
// Every rule is the database's (migration 00126): this package calls its functions in a transaction that has the staff
// session. They read who acts from the session, and refuse the requester as approver, one human under two accounts,
// another hash, a factor that was not used for this act, somebody disabled or without the role, and a second execution.
//
// What is approved is a canonical text: the page shows it, its hash is what others approve, and what a passkey signs,
// and the act is made from it. An edit is another request.
package approval
