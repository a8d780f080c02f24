"""The door: who a caller is, what it may use, and how much of it.

It knows no transport. A protocol hands over what came with a request (`door`), notes the caller on the record of the
request, and the data plane asks the caller which models it may use (`caller`) and the limits whether it has had enough
(`limits`). Callers are told by tokens whose digests stand in a file (`token_file`), or by JWTs that an issuer signed
(`signed`), whose public keys come from a file or an URL (`jwks`).
"""
