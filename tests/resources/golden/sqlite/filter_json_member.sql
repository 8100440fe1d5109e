SELECT ('{"id":' || "bookshop_book"."id" || '}') AS "json_"
FROM "bookshop_book"
WHERE "bookshop_book"."id" IN (SELECT "bookshop_book"."id" AS "pk_"
  FROM "bookshop_book"
  WHERE CASE
  WHEN json_type("bookshop_book"."metadata", %s) IN ('object', 'array') THEN 0
  WHEN json_type("bookshop_book"."metadata", %s) <> 'null' THEN (json_extract("bookshop_book"."metadata", %s) = json_extract(%s, '$')
    AND (json_type("bookshop_book"."metadata", %s) IN ('true', 'false')) = (json_type(%s) IN ('true', 'false')))
  ELSE NULL END
  ORDER BY "bookshop_book"."id" DESC
  LIMIT %s OFFSET %s)
ORDER BY "bookshop_book"."id" DESC
-- $."color" $."color" $."color" {0} $."color" {0} {1} {2}
