// Package signedlink makes and reads the links of emails and the cookie that an opened link leaves. It contains every
// signature that emails and browsers hold. It decides nothing: package portal says what each link may do.
package signedlink
