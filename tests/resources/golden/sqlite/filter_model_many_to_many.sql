SELECT ('{"id":' || "bookshop_book"."id" || '}') AS "json_"
FROM "bookshop_book"
WHERE "bookshop_book"."id" IN (SELECT "bookshop_book"."id" AS "pk_"
  FROM "bookshop_book"
  WHERE EXISTS(SELECT %s AS "a"
    FROM "bookshop_tag" U0
    INNER JOIN "bookshop_book_tags" U1 ON (U0."id" = U1."tag_id")
    WHERE (U1."book_id" = ("bookshop_book"."id")
      AND U0."label" = %s)
    LIMIT 1)
  ORDER BY "bookshop_book"."id" DESC
  LIMIT %s OFFSET %s)
ORDER BY "bookshop_book"."id" DESC
-- 1 {0} {1} {2}
