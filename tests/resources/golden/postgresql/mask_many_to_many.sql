SELECT CONCAT('{"tags":', (SELECT CONCAT('[', string_agg(json_, ','), CASE
      WHEN COUNT(*) > 5 THEN ',"\u001f"]'
      ELSE ']' END)
    FROM (SELECT CONCAT('{"id":', U0."id",
        ',"label":', to_json(U0."label"), '}') AS "json_"
      FROM "bookshop_tag" U0
      INNER JOIN "bookshop_book_tags" U1 ON (U0."id" = U1."tag_id")
      WHERE U1."book_id" = ("bookshop_book"."id")
      ORDER BY U0."label" COLLATE "C" ASC, U0."id" ASC
      LIMIT 6) "r"), '}') AS "json_"
FROM "bookshop_book"
WHERE "bookshop_book"."id" = ANY(ARRAY(SELECT "bookshop_book"."id" AS "pk_"
    FROM "bookshop_book"
    ORDER BY "bookshop_book"."id" DESC
    LIMIT %s::bigint OFFSET %s::bigint))
ORDER BY "bookshop_book"."id" DESC
-- {0} {1}
