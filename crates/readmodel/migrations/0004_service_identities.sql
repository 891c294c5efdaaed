-- A service credential has a secret, or an identity that a client's certificate names (a SPIFFE ID).

ALTER TABLE readmodel.service_credentials
    ADD COLUMN identity text,
    ALTER COLUMN kid DROP NOT NULL,
    ALTER COLUMN pepper DROP NOT NULL,
    ALTER COLUMN algorithm DROP NOT NULL,
    ALTER COLUMN digest DROP NOT NULL,
    ADD CONSTRAINT service_credentials_one_proof
        CHECK (num_nonnulls(kid, identity) = 1 AND num_nonnulls(kid, pepper, algorithm, digest) IN (0, 4));
