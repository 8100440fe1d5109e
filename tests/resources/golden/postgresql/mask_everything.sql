SELECT CONCAT('{"id":', "bookshop_book"."id",
  ',"title":', to_json("bookshop_book"."title"),
  ',"slug":', to_json("bookshop_book"."slug"),
  ',"status":', to_json("bookshop_book"."status"),
  ',"price":', COALESCE('"' || "bookshop_book"."price" || '"', 'null'),
  ',"pages":', COALESCE(("bookshop_book"."pages")::text, 'null'),
  ',"rating":', COALESCE((CASE
      WHEN "bookshop_book"."rating" IN ('NaN', 'Infinity', '-Infinity') THEN 'null'
      ELSE "bookshop_book"."rating"::text END)::text, 'null'),
  ',"released_on":', COALESCE('"' || "bookshop_book"."released_on" || '"', 'null'),
  ',"created_at":"', replace(to_char("bookshop_book"."created_at" AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'), '.000000', ''), '","blurb":', to_json("bookshop_book"."blurb"),
  ',"metadata":', COALESCE(("bookshop_book"."metadata")::text, 'null'),
  ',"publisher_id":', COALESCE(("bookshop_book"."publisher_id")::text, 'null'),
  ',"labels":', COALESCE(("bookshop_book"."labels")::text, 'null'),
  ',"double_price":', COALESCE('"' || (round(("bookshop_book"."price" * %s), 2) - CASE
      WHEN abs(mod(("bookshop_book"."price" * %s) * 1e2, 2)) = 0.5 THEN sign(("bookshop_book"."price" * %s)) * 1e-2
      ELSE 0 END) || '"', 'null'),
  ',"url":"', %s::text, '/books/', "bookshop_book"."id", '/","shouted":{"title":', to_json("bookshop_book"."title"), '},"publisher":', CASE
  WHEN "bookshop_book"."publisher_id" IS NULL THEN 'null'
  ELSE CONCAT('{"id":', "bookshop_book"."publisher_id",
    ',"name":', to_json("bookshop_publisher"."name"), '}') END,
  ',"editions":', (SELECT CONCAT('[', string_agg(json_, ','), CASE
      WHEN COUNT(*) > 100 THEN ',"\u001f"]'
      ELSE ']' END)
    FROM (SELECT CONCAT('{"id":', U0."id",
        ',"book_id":', U0."book_id",
        ',"isbn":', to_json(U0."isbn"), '}') AS "json_"
      FROM "bookshop_edition" U0
      WHERE U0."book_id" = ("bookshop_book"."id")
      ORDER BY U0."position" ASC, U0."id" ASC
      LIMIT 101) "r"),
  ',"authors":', (SELECT CONCAT('[', string_agg(json_, ','), CASE
      WHEN COUNT(*) > 100 THEN ',"\u001f"]'
      ELSE ']' END)
    FROM (SELECT CONCAT('{"id":', U0."id",
        ',"name":', to_json(U0."name"),
        ',"biography":', CASE
        WHEN U3."id" IS NULL THEN 'null'
        ELSE CONCAT('{"author_id":', U3."author_id",
          ',"words":', U3."words", '}') END, '}') AS "json_"
      FROM "bookshop_author" U0
      INNER JOIN "bookshop_book_authors" U1 ON (U0."id" = U1."author_id")
      LEFT OUTER JOIN "bookshop_biography" U3 ON (U0."id" = U3."author_id")
      WHERE U1."book_id" = ("bookshop_book"."id")
      ORDER BY U0."name" COLLATE "C" ASC, U0."id" ASC
      LIMIT 101) "r"),
  ',"tags":', (SELECT CONCAT('[', string_agg(json_, ','), CASE
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
LEFT OUTER JOIN "bookshop_publisher" ON ("bookshop_book"."publisher_id" = "bookshop_publisher"."id")
WHERE "bookshop_book"."id" = ANY(ARRAY(SELECT "bookshop_book"."id" AS "pk_"
    FROM "bookshop_book"
    ORDER BY "bookshop_book"."id" DESC
    LIMIT %s::bigint OFFSET %s::bigint))
ORDER BY "bookshop_book"."id" DESC
-- 2 2 2 {origin} {0} {1}
