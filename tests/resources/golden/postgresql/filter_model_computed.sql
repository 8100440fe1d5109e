SELECT CONCAT('{"id":', "bookshop_edition"."id", '}') AS "json_"
FROM "bookshop_edition"
WHERE "bookshop_edition"."id" = ANY(ARRAY(SELECT "bookshop_edition"."id" AS "pk_"
    FROM "bookshop_edition"
    WHERE EXISTS(SELECT %s AS "a"
      FROM "bookshop_book" U0
      WHERE (U0."id" = ("bookshop_edition"."book_id")
        AND ROUND((U0."price" * %s), %s) > %s::numeric)
      LIMIT 1)
    ORDER BY "bookshop_edition"."id" DESC
    LIMIT %s::bigint OFFSET %s::bigint))
ORDER BY "bookshop_edition"."id" DESC
-- 1 0.3333 4 {0} {1} {2}
