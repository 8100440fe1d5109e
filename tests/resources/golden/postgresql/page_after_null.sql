SELECT CONCAT('{"id":', "bookshop_book"."id", '}') AS "json_", CONCAT('[', COALESCE('"' || "bookshop_book"."price" || '"', 'null'), ',', "bookshop_book"."id", ']') AS "keys_"
FROM "bookshop_book"
WHERE "bookshop_book"."id" = ANY(ARRAY(SELECT "bookshop_book"."id" AS "pk_"
    FROM "bookshop_book"
    WHERE (1 = 0
      OR ("bookshop_book"."price" IS NULL
        AND "bookshop_book"."id" > %s::bigint))
    ORDER BY "bookshop_book"."price" ASC, "bookshop_book"."id" ASC
    LIMIT %s::bigint))
ORDER BY "bookshop_book"."price" ASC, "bookshop_book"."id" ASC
-- {1} {0}
