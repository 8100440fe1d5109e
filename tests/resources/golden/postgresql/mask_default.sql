SELECT CONCAT('{"id":', "bookshop_book"."id",
  ',"title":', to_json("bookshop_book"."title"),
  ',"status":', to_json("bookshop_book"."status"),
  ',"price":', COALESCE('"' || "bookshop_book"."price" || '"', 'null'),
  ',"publisher_id":', COALESCE(("bookshop_book"."publisher_id")::text, 'null'), '}') AS "json_"
FROM "bookshop_book"
WHERE "bookshop_book"."id" = ANY(ARRAY(SELECT "bookshop_book"."id" AS "pk_"
    FROM "bookshop_book"
    ORDER BY "bookshop_book"."id" DESC
    LIMIT %s::bigint OFFSET %s::bigint))
ORDER BY "bookshop_book"."id" DESC
-- {0} {1}
