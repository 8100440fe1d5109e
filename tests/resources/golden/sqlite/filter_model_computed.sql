SELECT ('{"id":' || "bookshop_edition"."id" || '}') AS "json_"
FROM "bookshop_edition"
WHERE "bookshop_edition"."id" IN (SELECT "bookshop_edition"."id" AS "pk_"
  FROM "bookshop_edition"
  WHERE EXISTS(SELECT %s AS "a"
    FROM "bookshop_book" U0
    WHERE (U0."id" = ("bookshop_edition"."book_id")
      AND backstay_round((CAST(ROUND((CAST((U0."price" * (CAST(%s AS NUMERIC))) AS NUMERIC)), %s) AS NUMERIC))) > CAST(%s AS NUMERIC))
    LIMIT 1)
  ORDER BY "bookshop_edition"."id" DESC
  LIMIT %s OFFSET %s)
ORDER BY "bookshop_edition"."id" DESC
-- 1 0.3333 4 {0} {1} {2}
