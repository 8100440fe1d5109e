SELECT ('{"book":{"third":' || (SELECT (COALESCE('"' || (backstay_decimal((CAST(ROUND((CAST((U0."price" * (CAST(%s AS NUMERIC))) AS NUMERIC)), %s) AS NUMERIC)), 12, 4)) || '"', 'null')) AS "jsonvalue1"
    FROM "bookshop_book" U0
    WHERE U0."id" = ("bookshop_edition"."book_id")) || '}}') AS "json_"
FROM "bookshop_edition"
WHERE "bookshop_edition"."id" IN (SELECT "bookshop_edition"."id" AS "pk_"
  FROM "bookshop_edition"
  ORDER BY "bookshop_edition"."id" DESC
  LIMIT %s OFFSET %s)
ORDER BY "bookshop_edition"."id" DESC
-- 0.3333 4 {0} {1}
