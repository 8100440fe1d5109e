SELECT ('{"id":' || "bookshop_book"."id" || '}') AS "json_"
FROM "bookshop_book"
WHERE "bookshop_book"."id" IN (SELECT "bookshop_book"."id" AS "pk_"
  FROM "bookshop_book"
  WHERE CASE
  WHEN json_type("bookshop_book"."metadata", %s) IN ('object', 'array') THEN 0
  WHEN json_type("bookshop_book"."metadata", %s) <> 'null' THEN EXISTS (SELECT 1
    FROM json_each(%s) e
    WHERE e.value = json_extract("bookshop_book"."metadata", %s)
    AND (e.type IN ('true', 'false')) = (json_type("bookshop_book"."metadata", %s) IN ('true', 'false')))
  ELSE CASE
  WHEN json_array_length(%s) = 0 THEN 0 END END
  ORDER BY "bookshop_book"."id" DESC
  LIMIT %s OFFSET %s)
ORDER BY "bookshop_book"."id" DESC
-- $."color" $."color" {0} $."color" $."color" {0} {1} {2}
