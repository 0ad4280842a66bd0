"""The tables as Laravel's migrations leave them behind, old ones and new ones."""

from __future__ import annotations

JOBS = {
    "sqlite": (
        (
            'create table "jobs" ("id" integer primary key autoincrement not null, "queue" varchar not null,'
            ' "payload" text not null, "attempts" integer not null, "reserved_at" integer,'
            ' "available_at" integer not null, "created_at" integer not null)'
        ),
        'create index "jobs_queue_index" on "jobs" ("queue")',
    ),
    "postgresql": (
        (
            'create table "jobs" ("id" bigserial not null primary key, "queue" varchar(255) not null,'
            ' "payload" text not null, "attempts" smallint not null, "reserved_at" integer null,'
            ' "available_at" integer not null, "created_at" integer not null)'
        ),
        'create index "jobs_queue_index" on "jobs" ("queue")',
    ),
    "mysql": (
        (
            "create table `jobs` (`id` bigint unsigned not null auto_increment primary key,"
            " `queue` varchar(255) not null,"
            " `payload` longtext not null, `attempts` tinyint unsigned not null, `reserved_at` int unsigned null,"
            " `available_at` int unsigned not null, `created_at` int unsigned not null)"
            " default character set utf8mb4 collate 'utf8mb4_unicode_ci'"
        ),
        "alter table `jobs` add index `jobs_queue_index`(`queue`)",
    ),
}
FAILED_JOBS = {
    "sqlite": (
        (
            'create table "failed_jobs" ("id" integer primary key autoincrement not null, "uuid" varchar not null,'
            ' "connection" text not null, "queue" text not null, "payload" text not null, "exception" text not null,'
            ' "failed_at" datetime not null default CURRENT_TIMESTAMP)'
        ),
        'create unique index "failed_jobs_uuid_unique" on "failed_jobs" ("uuid")',
    ),
    "postgresql": (
        (
            'create table "failed_jobs" ("id" bigserial not null primary key, "uuid" varchar(255) not null,'
            ' "connection" text not null, "queue" text not null, "payload" text not null, "exception" text not null,'
            ' "failed_at" timestamp(0) without time zone not null default CURRENT_TIMESTAMP)'
        ),
        'alter table "failed_jobs" add constraint "failed_jobs_uuid_unique" unique ("uuid")',
    ),
    "mysql": (
        (
            "create table `failed_jobs` (`id` bigint unsigned not null auto_increment primary key,"
            " `uuid` varchar(255) not null, `connection` text not null, `queue` text not null,"
            " `payload` longtext not null, `exception` longtext not null,"
            " `failed_at` timestamp not null default CURRENT_TIMESTAMP)"
            " default character set utf8mb4 collate 'utf8mb4_unicode_ci'"
        ),
        "alter table `failed_jobs` add unique `failed_jobs_uuid_unique`(`uuid`)",
    ),
}
PHP_JOB = (
    '{"uuid":"b1a6","displayName":"App\\\\Jobs\\\\Mail","job":"Illuminate\\\\Queue\\\\CallQueuedHandler@call",'
    '"data":{"commandName":"App\\\\Jobs\\\\Mail","command":"O:13:\\"App\\\\Jobs\\\\Mail\\":0:{}"}}'
)
STRING_JOB = '{"uuid":"c2b7","displayName":"SendWelcome","job":"SendWelcome","data":{"user_id":1}}'
EXCEPTION = "RuntimeException: no route to host: 10.0.0.1 in /var/www/app/Jobs/Mail.php:12\nStack trace:\n#0 {main}"
PUSH = "insert into jobs (queue, payload, attempts, available_at, created_at) values (?, ?, 0, ?, ?)"
FAIL = "insert into failed_jobs (uuid, connection, queue, payload, exception, failed_at) values (?, ?, ?, ?, ?, ?)"
